//! Letting others run.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::cancel::{CancelWatch, Cancelled, check_cancelled};

/// Lets all tasks that are ready run once before this one goes on.
///
/// Counterpart: `asyncio.sleep(0)`.
///
/// # Errors
///
/// `Cancelled` if the task or a scope around was cancelled before; others have not run then.
///
/// # Cancel safety
///
/// Cancel safe: dropped or cancelled before it completes, it had no effect.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task};
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let other = task::spawn(async {});
///     task::yield_now().await?;
///     assert!(other.is_finished());
///     Ok::<(), ringloop_task::cancel::Cancelled>(())
/// })?;
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[track_caller]
pub fn yield_now() -> YieldNow {
    YieldNow {
        has_yielded: false,
        watch: CancelWatch::new(),
    }
}

/// Lets others run, and looks for a cancellation before and after.
///
/// For long computations in one task: unlike [`yield_now`] it also tells of a request that came
/// while the others ran. Counterpart: `trio.lowlevel.checkpoint`.
///
/// # Errors
///
/// `Cancelled` if the task or a scope around is cancelled.
///
/// # Cancel safety
///
/// Cancel safe: dropped or cancelled before it completes, it had no effect.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task};
///
/// let sum = Scheduler::new(ThreadDriver::new()).block_on(async {
///     let mut sum = 0;
///     for n in 1..=4 {
///         sum += n;
///         task::checkpoint().await?;
///     }
///     Ok::<i32, ringloop_task::cancel::Cancelled>(sum)
/// })?;
/// assert_eq!(sum, 10);
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[track_caller]
pub fn checkpoint() -> Checkpoint {
    Checkpoint { turn: yield_now() }
}

/// One turn of the loop; see [`yield_now`].
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct YieldNow {
    has_yielded: bool,
    watch: CancelWatch,
}

/// One turn of the loop with a look before and after; see [`checkpoint`].
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct Checkpoint {
    turn: YieldNow,
}

impl Future for YieldNow {
    type Output = Result<(), Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.has_yielded {
            return Poll::Ready(Ok(()));
        }
        self.watch.poll_cancelled(cx)?;
        self.has_yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Future for Checkpoint {
    type Output = Result<(), Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match Pin::new(&mut self.turn).poll(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(check_cancelled()),
            pending @ (Poll::Pending | Poll::Ready(Err(_))) => pending,
        }
    }
}

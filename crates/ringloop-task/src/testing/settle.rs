//! Waiting until nothing moves.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use ringloop_core::{WaitKey, WaitList};

use crate::cancel::{CancelWatch, Cancelled};
use crate::context;

/// Waits until every other task is blocked: nothing is ready, and the loop would sleep.
///
/// What is ready, woken from other threads or due at this very time runs first, as often as it
/// takes; the driver is looked at once more without sleeping. Then `settle` is over, before the
/// loop sleeps and so before a virtual clock jumps. Several tasks may settle at once and go on
/// together, in the order of their calls. Other threads are not waited for. Counterpart:
/// `trio.testing.wait_all_tasks_blocked`.
///
/// # Errors
///
/// `Cancelled` if the task or a scope around is cancelled.
///
/// # Panics
///
/// When polled outside of a running loop.
///
/// # Cancel safety
///
/// Cancel safe: dropped or cancelled before it completes, it had no effect.
///
/// # Examples
///
/// ```
/// use ringloop_task::testing::{VirtualDriver, settle};
/// use ringloop_task::{Scheduler, task, time};
/// use std::{cell::Cell, rc::Rc, time::Duration};
///
/// Scheduler::new(VirtualDriver::new()).block_on(async {
///     let turns = Rc::new(Cell::new(0));
///     let counter = Rc::clone(&turns);
///     drop(task::spawn(async move {
///         for _ in 0..10 {
///             task::yield_now().await?;
///             counter.set(counter.get() + 1);
///         }
///         time::sleep(Duration::from_secs(1)).await
///     }));
///     let before = time::now();
///     settle().await?;
///     assert_eq!(turns.get(), 10); // It sleeps by now,
///     assert_eq!(time::now(), before); // and no time has passed.
///     Ok::<(), ringloop_task::cancel::Cancelled>(())
/// })?;
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[doc(alias = "wait_all_tasks_blocked")]
#[track_caller]
pub fn settle() -> Settle {
    Settle {
        place: None,
        watch: CancelWatch::new(),
    }
}

/// Waits until every other task is blocked; see [`settle`].
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct Settle {
    place: Option<Place>,
    watch: CancelWatch,
}

/// A place in the list of a scheduler.
#[derive(Debug)]
struct Place {
    settlers: Rc<WaitList>,
    /// Taken by the drop only.
    key: Option<WaitKey>,
}

impl Future for Settle {
    type Output = Result<(), Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(place) = &self.place
            && !place.update(cx)
        {
            return Poll::Ready(Ok(()));
        }
        self.watch.poll_cancelled(cx)?;
        if self.place.is_none() {
            let settlers = context::with_home(|home| home.settlers());
            let settlers = settlers.expect("settle is polled inside a running loop");
            let key = Some(settlers.push(cx.waker()));
            self.place = Some(Place { settlers, key });
        }
        Poll::Pending
    }
}

impl Place {
    /// Returns whether the task waits still.
    fn update(&self, cx: &Context<'_>) -> bool {
        let key = self.key.as_ref();
        key.is_some_and(|key| self.settlers.update(key, cx.waker()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.settlers.remove(key);
        }
    }
}

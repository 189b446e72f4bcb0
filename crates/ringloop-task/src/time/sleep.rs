//! Waiting for a time.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::timers::{TimerEntry, When};
use crate::cancel::{CancelWatch, Cancelled};
use crate::context;

/// Waits for `duration`, counted from this call.
///
/// Never ends early. A zero duration is one turn of the loop, as [`yield_now`]; one of centuries
/// never ends. Counterpart: `asyncio.sleep`.
///
/// [`yield_now`]: crate::task::yield_now
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
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let before = time::now();
///     time::sleep(Duration::from_millis(2)).await?;
///     assert!(time::now() - before >= Duration::from_millis(2));
///     Ok::<(), ringloop_task::cancel::Cancelled>(())
/// })?;
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[doc(alias = "call_later")]
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    let when = if duration.is_zero() {
        When::In(duration)
    } else {
        let now = context::with_home(|home| home.now());
        match now.and_then(|now| now.checked_add(duration)) {
            Some(deadline) => When::At(deadline),
            None => When::In(duration),
        }
    };
    Sleep {
        when,
        state: State::New,
        watch: CancelWatch::new(),
    }
}

/// Waits until `deadline`. At least one turn of the loop, also if it has passed.
///
/// Counterpart: `trio.sleep_until`; a callback for `loop.call_at` is a task that begins with it.
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
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let deadline = time::now() + Duration::from_millis(1);
///     time::sleep_until(deadline).await?;
///     assert!(time::now() >= deadline);
///     Ok::<(), ringloop_task::cancel::Cancelled>(())
/// })?;
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[doc(alias = "call_at")]
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep {
        when: When::At(deadline),
        state: State::New,
        watch: CancelWatch::new(),
    }
}

/// Waits for a time; see [`sleep`] and [`sleep_until`].
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct Sleep {
    when: When,
    state: State,
    watch: CancelWatch,
}

#[derive(Debug)]
enum State {
    New,
    /// Woken already, to be polled once more.
    Yielding,
    Waiting(TimerEntry),
    /// The deadline is too far away to exist.
    Forever,
}

impl Sleep {
    /// The first poll.
    fn begin(&mut self, cx: &Context<'_>) {
        self.state = match self.when {
            When::In(duration) if duration.is_zero() => {
                cx.waker().wake_by_ref();
                State::Yielding
            }
            when @ (When::In(_) | When::At(_)) => {
                let entry = context::with_home(|home| {
                    // The clock is read only by a sleep that was made outside of the loop.
                    let deadline = match when {
                        When::At(deadline) => Some(deadline),
                        When::In(_) => when.instant(home.now()),
                    };
                    home.timers.insert(deadline?, cx.waker())
                });
                match entry.expect("a sleep is polled inside a running loop") {
                    Some(entry) => State::Waiting(entry),
                    None => State::Forever,
                }
            }
        };
    }
}

impl Future for Sleep {
    type Output = Result<(), Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &self.state {
            State::Yielding => return Poll::Ready(Ok(())),
            State::Waiting(entry) if entry.has_fired() => return Poll::Ready(Ok(())),
            State::New | State::Waiting(_) | State::Forever => {}
        }
        if let Err(cancelled) = self.watch.poll_cancelled(cx) {
            self.state = State::Forever;
            return Poll::Ready(Err(cancelled));
        }
        match &self.state {
            State::Waiting(entry) if entry.is_here() => entry.update(cx.waker()),
            // New, or carried over from another loop.
            State::New | State::Waiting(_) => self.begin(cx),
            State::Yielding | State::Forever => {}
        }
        Poll::Pending
    }
}

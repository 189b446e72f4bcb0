//! Time: sleeping, deadlines, and what time it is.
//!
//! A timer is a waker that is filed under an instant, in user space. The next deadline is the
//! timeout of the driver's one park, so timers cost no system call. They are exact: no tick, never
//! early, equal deadlines in the order they were made. A sleep counts from its making; the clock
//! is read once for all sleeps of one turn of the loop, so it may end later by as much as the rest
//! of that turn took. Deadlines that are centuries away never come, and are no error.
//!
//! The clock is the driver's, and nothing else: [`now`], the deadlines and the park agree. It is
//! monotonic. That of the drivers here (`CLOCK_MONOTONIC`) stands still while the machine is
//! suspended, and so do all timers: after the resume they have as much left as before. To measure
//! by the calendar, compare with [`SystemTime`](std::time::SystemTime) when you are woken.

mod interval;
mod links;
mod queue;
mod sleep;
mod timeout;
mod timers;

use std::time::Instant;

pub use interval::{Interval, MissedTicks, Tick, interval, interval_at};
pub use sleep::{Sleep, sleep, sleep_until};
pub use timeout::{Elapsed, MoveOn, Timeout, move_on_after, timeout, timeout_at};

pub(crate) use timers::{TimerEntry, Timers, When};

use crate::context;

/// Returns what time it is for this thread's loop: its driver's clock, which is virtual in
/// simulation. Counterpart: `loop.time`.
///
/// # Panics
///
/// Outside of a running loop.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, time};
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let first = time::now();
///     assert!(time::now() >= first);
/// });
/// ```
#[must_use]
#[doc(alias = "current_time")]
#[track_caller]
pub fn now() -> Instant {
    match context::with_home(|home| home.now()) {
        Some(now) => now,
        None => panic!("there is no loop running on this thread to ask for the time"),
    }
}

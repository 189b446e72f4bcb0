//! The one place where this crate reads the time.
//!
//! The bridge works under any runtime, so there is no driver to ask. What is measured is how long
//! jobs wait and run on real threads, and that is real time under a virtual clock, too.

use std::time::{Duration, Instant};

/// A stopwatch that never stops: the time since it was made, as one word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

/// Nanoseconds since a [`Clock`] was made; 584 years fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(u64);

impl Clock {
    pub(crate) fn new() -> Self {
        Self { start: now() }
    }

    /// Reads the clock.
    pub(crate) fn now(&self) -> Tick {
        let elapsed = now().saturating_duration_since(self.start);
        Tick(elapsed.as_nanos().try_into().unwrap_or(u64::MAX))
    }
}

impl Tick {
    /// Returns the time from `earlier` to this one, none if they are the other way around.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "waits and runs of real threads take real time"
)]
fn now() -> Instant {
    Instant::now()
}

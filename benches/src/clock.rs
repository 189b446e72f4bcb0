//! The one place that reads the clock.
//!
//! Everything else in the workspace asks a driver for the time. A benchmark measures drivers, so it
//! needs a clock of its own.

use std::time::{Duration, Instant};

/// Returns the time of the monotonic clock, the same on all cores.
#[expect(
    clippy::disallowed_methods,
    reason = "what is measured must not supply the clock"
)]
pub fn now() -> Instant {
    Instant::now()
}

/// Blocks the calling thread for `duration`.
#[expect(
    clippy::disallowed_methods,
    reason = "called by threads that run no loop"
)]
pub fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

//! Giving the kernel time when it is short of something.

use std::time::Duration;

/// Sleeps on this thread.
#[expect(
    clippy::disallowed_methods,
    reason = "the loop cannot do anything meanwhile"
)]
pub(super) fn pause(time: Duration) {
    std::thread::sleep(time);
}

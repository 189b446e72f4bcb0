//! A driver for tests: to sleep until a time is to set the clock to it.

use std::io;
use std::time::{Duration, Instant};

use ringloop_core::{Driver, Unparker};

use super::virtual_clock::{Rest, VirtualClock};

/// A [`Driver`] whose time passes only when every task waits, and then in no time at all.
///
/// When nothing is ready and a timer is set, the clock *jumps* to its deadline. With
/// [`autojump(false)`](Self::autojump) it stays until somebody moves it by the
/// [`clock`](Self::clock). It waits for nothing but unparks: like
/// [`ThreadDriver`](ringloop_core::ThreadDriver) it knows no I/O.
///
/// # Deadlocks
///
/// If every task waits and no timer is set, only another thread can end the wait. Whether there is
/// one that will, cannot be seen: a waker does not show who has it. So the driver waits for other
/// threads in real time, and when that has lasted for its [`patience`](Self::patience) the test is
/// over: `block_on` panics with "nothing will ever happen: every task waits and no timer is set".
/// A test without other threads may set the patience to zero and fail at once.
///
/// # Other threads
///
/// Time jumps also while another thread is about to unpark the loop. A test in which a timeout
/// races with real work on a thread keeps the clock still instead (`autojump(false)`).
///
/// Counterpart: `trio.testing.MockClock(autojump_threshold=0)`.
///
/// # Examples
///
/// ```
/// use ringloop_task::testing::VirtualDriver;
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// let driver = VirtualDriver::new();
/// let clock = driver.clock();
/// Scheduler::new(driver).block_on(time::sleep(Duration::from_secs(86_400)))?;
/// assert_eq!(clock.elapsed(), Duration::from_secs(86_400));
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
///
/// A deadlock is a panic, not a hang:
///
/// ```should_panic
/// use ringloop_task::Scheduler;
/// use ringloop_task::testing::VirtualDriver;
/// use std::time::Duration;
///
/// let driver = VirtualDriver::new().patience(Duration::ZERO);
/// Scheduler::new(driver).block_on(std::future::pending::<()>());
/// ```
#[doc(alias = "MockClock")]
#[derive(Debug)]
pub struct VirtualDriver {
    clock: VirtualClock,
    jumps: bool,
    patience: Duration,
}

impl VirtualDriver {
    /// Makes a driver whose clock jumps.
    #[must_use]
    pub fn new() -> Self {
        Self {
            clock: VirtualClock::new(),
            jumps: true,
            patience: PATIENCE,
        }
    }

    /// Sets whether the clock jumps to the next deadline when every task waits. It does if not set.
    #[must_use]
    pub fn autojump(mut self, jumps: bool) -> Self {
        self.jumps = jumps;
        self
    }

    /// Sets for how long, in real time, other threads are waited for before the test is given up:
    /// 10 seconds if not set.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Returns a handle to the clock.
    #[must_use]
    pub fn clock(&self) -> VirtualClock {
        self.clock.clone()
    }
}

impl Default for VirtualDriver {
    fn default() -> Self {
        Self::new()
    }
}

impl Driver for VirtualDriver {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Jumps, or waits for other threads.
    ///
    /// # Errors
    ///
    /// Of the kind [`Deadlock`](io::ErrorKind::Deadlock) if nothing happens for as long as the
    /// driver has patience.
    fn park(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let shared = self.clock.shared();
        let rest = match timeout {
            Some(Duration::ZERO) => shared.jump(Duration::ZERO),
            // A timeout beyond the end of time is none at all.
            Some(timeout) if self.jumps => match shared.jump(timeout) {
                Rest::Woken => Rest::Woken,
                Rest::Disturbed => shared.rest(self.patience),
            },
            Some(_) | None => shared.rest(self.patience),
        };
        match (rest, timeout) {
            (Rest::Woken, _) => Ok(()),
            (Rest::Disturbed, Some(_)) if !self.jumps => Err(deadlock(CLOCK_STANDS)),
            (Rest::Disturbed, _) => Err(deadlock(NO_TIMER)),
        }
    }

    fn unparker(&self) -> Unparker {
        Unparker::new(self.clock.shared().clone())
    }
}

fn deadlock(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::Deadlock, text)
}

/// How long other threads are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

const NO_TIMER: &str = "nothing will ever happen: every task waits and no timer is set";
const CLOCK_STANDS: &str =
    "nothing will ever happen: every task waits and nobody advances the clock";

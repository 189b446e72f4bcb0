//! A driver that only sleeps: a mutex, a condition variable and the monotonic clock.
//!
//! It waits for nothing but unparks and timeouts, so every layer above a driver runs on it without
//! io_uring: in tests, on other kernels, and under tools that know no system calls. A word under
//! the mutex says whether the thread is awake, asleep or notified. Unparks of a driver that is
//! awake or notified already cost a lock and no system call.

use std::io;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::driver::{Driver, Unpark, Unparker};
use crate::loom::{Condvar, Mutex, MutexGuard};

/// A [`Driver`] that sleeps on a condition variable and reads the monotonic clock.
///
/// A park ends when the [`Unparker`] is used or the timeout has passed, never before. Unparks
/// coalesce: any number of them ends one park.
///
/// # Examples
///
/// ```
/// use ringloop_core::{Driver, ThreadDriver};
/// use std::time::Duration;
///
/// let mut driver = ThreadDriver::new();
/// driver.unparker().unpark();
/// driver.unparker().unpark();
/// driver.park(None)?; // Ends at once: it was unparked before.
///
/// let before = driver.now();
/// driver.park(Some(Duration::from_millis(1)))?; // The second unpark is used up as well.
/// assert!(driver.now() - before >= Duration::from_millis(1));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct ThreadDriver {
    bed: Arc<Bed>,
}

impl ThreadDriver {
    /// Makes a driver for the thread that will park on it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Driver for ThreadDriver {
    #[expect(
        clippy::disallowed_methods,
        reason = "the driver is where the time is read"
    )]
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn park(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let mut sleep = self.bed.lock();
        if *sleep == Sleep::Notified || timeout == Some(Duration::ZERO) {
            *sleep = Sleep::Awake;
            return Ok(());
        }
        // A timeout beyond the end of the clock is none at all.
        let deadline = timeout.and_then(|timeout| self.now().checked_add(timeout));
        *sleep = Sleep::Asleep;
        while *sleep == Sleep::Asleep {
            let Some(deadline) = deadline else {
                sleep = self.bed.wait(sleep);
                continue;
            };
            let left = deadline.saturating_duration_since(self.now());
            if left.is_zero() {
                break;
            }
            sleep = self.bed.wait_timeout(sleep, left);
        }
        *sleep = Sleep::Awake;
        Ok(())
    }

    fn unparker(&self) -> Unparker {
        Unparker::new(self.bed.clone())
    }
}

/// Where the thread sleeps.
#[derive(Debug)]
struct Bed {
    sleep: Mutex<Sleep>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sleep {
    /// Not in a park that sleeps.
    Awake,
    /// In a park: an unpark has to notify the condition variable.
    Asleep,
    /// Unparked: the current park, or the next one, ends.
    Notified,
}

impl Bed {
    // No other code runs under the lock, so a poisoned one still holds a valid state.

    fn lock(&self) -> MutexGuard<'_, Sleep> {
        self.sleep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, sleep: MutexGuard<'a, Sleep>) -> MutexGuard<'a, Sleep> {
        self.changed
            .wait(sleep)
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_timeout<'a>(
        &self,
        sleep: MutexGuard<'a, Sleep>,
        timeout: Duration,
    ) -> MutexGuard<'a, Sleep> {
        let (sleep, _) = self
            .changed
            .wait_timeout(sleep, timeout)
            .unwrap_or_else(PoisonError::into_inner);
        sleep
    }
}

impl Default for Bed {
    fn default() -> Self {
        Self {
            sleep: Mutex::new(Sleep::Awake),
            changed: Condvar::new(),
        }
    }
}

impl Unpark for Bed {
    fn unpark(&self) {
        let before = std::mem::replace(&mut *self.lock(), Sleep::Notified);
        if before == Sleep::Asleep {
            self.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;

//! A driver that only sleeps: a mutex, a condition variable and the monotonic clock.
//!
//! It waits for nothing but unparks and timeouts, so every layer above a driver runs on it without
//! io_uring: in tests, on other kernels, and under tools that know no system calls. A word says
//! whether the thread is awake, asleep or notified; the mutex is for those who wait and who notify.
//! Looking without sleeping costs a load, and unparking a driver that is awake an exchange.

use std::io;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::driver::{Driver, Unpark, Unparker};
use crate::loom::atomic::{AtomicU8, Ordering};
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
        if self.bed.take_notice() || timeout == Some(Duration::ZERO) {
            return Ok(());
        }
        // A timeout beyond the end of the clock is none at all.
        let deadline = timeout.and_then(|timeout| self.now().checked_add(timeout));
        let mut lock = self.bed.lock();
        self.bed.fall_asleep();
        while self.bed.is_asleep() {
            let Some(deadline) = deadline else {
                lock = self.bed.wait(lock);
                continue;
            };
            let left = deadline.saturating_duration_since(self.now());
            if left.is_zero() {
                break;
            }
            lock = self.bed.wait_timeout(lock, left);
        }
        self.bed.wake_up();
        drop(lock);
        Ok(())
    }

    fn unparker(&self) -> Unparker {
        Unparker::new(self.bed.clone())
    }
}

/// Where the thread sleeps.
#[derive(Debug)]
struct Bed {
    /// One of the constants below.
    sleep: AtomicU8,
    /// Held by the thread from before it says that it sleeps until it waits.
    lock: Mutex<()>,
    changed: Condvar,
}

/// Not in a park that sleeps.
const AWAKE: u8 = 0;
/// In a park: an unpark has to notify the condition variable.
const ASLEEP: u8 = 1;
/// Unparked: the current park, or the next one, ends.
const NOTIFIED: u8 = 2;

impl Bed {
    /// Returns whether the thread was unparked, and forgets it. The thread is awake.
    fn take_notice(&self) -> bool {
        // Relaxed: a look. Who was unparked reads again, below.
        if self.sleep.load(Ordering::Relaxed) != NOTIFIED {
            return false;
        }
        self.wake_up();
        true
    }

    /// Says that the thread is awake, and forgets that it was unparked.
    fn wake_up(&self) {
        // Ordering: acquires what all threads did that have unparked this one.
        self.sleep.swap(AWAKE, Ordering::Acquire);
    }

    /// Says that the thread sleeps, unless it was unparked. Under the lock.
    fn fall_asleep(&self) {
        // Relaxed: an unpark that comes before is found by the caller's next look, and one that
        // comes after finds the lock taken until the thread waits.
        let _unparked =
            self.sleep
                .compare_exchange(AWAKE, ASLEEP, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn is_asleep(&self) -> bool {
        // Relaxed: the caller goes on with `wake_up`.
        self.sleep.load(Ordering::Relaxed) == ASLEEP
    }

    // No other code runs under the lock, so a poisoned one is as good.

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, lock: MutexGuard<'a, ()>) -> MutexGuard<'a, ()> {
        self.changed
            .wait(lock)
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_timeout<'a>(&self, lock: MutexGuard<'a, ()>, timeout: Duration) -> MutexGuard<'a, ()> {
        let (lock, _) = self
            .changed
            .wait_timeout(lock, timeout)
            .unwrap_or_else(PoisonError::into_inner);
        lock
    }
}

impl Default for Bed {
    fn default() -> Self {
        Self {
            sleep: AtomicU8::new(AWAKE),
            lock: Mutex::new(()),
            changed: Condvar::new(),
        }
    }
}

impl Unpark for Bed {
    fn unpark(&self) {
        // Ordering: releases what this thread did; that of the threads which unparked before it
        // goes along, because all of them exchange.
        if self.sleep.swap(NOTIFIED, Ordering::Release) == ASLEEP {
            // Whoever is about to wait holds the lock.
            drop(self.lock());
            self.changed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests;

//! How a worker sleeps until it is wanted.

use std::sync::PoisonError;
use std::time::Duration;

use crate::loom::{Condvar, Mutex, MutexGuard, lock};

/// Wakes one worker.
#[derive(Debug)]
pub(super) struct Bell {
    rung: Condvar,
}

impl Bell {
    pub(super) fn new() -> Self {
        Self {
            rung: Condvar::new(),
        }
    }

    /// Ends the wait of the worker, if it waits. To be called without the lock, which the worker
    /// needs first of all.
    pub(super) fn ring(&self) {
        self.rung.notify_one();
    }

    /// Gives the lock away until the bell rings or `patience` is over. Returns whether it is over.
    pub(super) fn wait<'a, S>(
        &self,
        mutex: &'a Mutex<S>,
        guard: MutexGuard<'a, S>,
        patience: Option<Duration>,
    ) -> (MutexGuard<'a, S>, bool) {
        match patience {
            None => {
                let guard = self.rung.wait(guard);
                (guard.unwrap_or_else(PoisonError::into_inner), false)
            }
            Some(Duration::ZERO) => {
                drop(guard);
                (lock(mutex), true)
            }
            Some(patience) => {
                let waited = self.rung.wait_timeout(guard, patience);
                let (guard, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                (guard, timeout.timed_out())
            }
        }
    }
}

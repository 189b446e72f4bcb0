//! Walls between foreign code and ours: panics that stop here, and locks that foreign code cannot poison.
//!
//! A job's values, results and wakers belong to others and may panic when they are used or
//! dropped. A worker survives all of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use ringloop_core::panics::{Payload, catch, drop_quietly};

/// Locks a mutex under which no foreign code runs, so that poison means nothing.
pub(crate) fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;

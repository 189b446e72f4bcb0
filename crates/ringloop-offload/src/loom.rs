//! The locks and atomics of std, or those of loom when the crate is built with `--cfg loom`.
//!
//! Code whose thread interleavings are modelled takes them from here.

use std::sync::PoisonError;

#[cfg(loom)]
pub(crate) use ::loom::sync::{Arc, Condvar, Mutex, MutexGuard, atomic};
#[cfg(not(loom))]
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, atomic};

/// Locks a mutex under which no foreign code runs, so that poison means nothing.
pub(crate) fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

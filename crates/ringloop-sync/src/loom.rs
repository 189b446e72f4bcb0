//! The locks, counts and atomics of std, or those of loom when the crate is built with `--cfg loom`.
//!
//! The types of `shared`, whose thread interleavings are modelled, take them from here.

use std::sync::PoisonError;

#[cfg(loom)]
pub(crate) use ::loom::sync::{Arc, Mutex, MutexGuard, atomic};
#[cfg(not(loom))]
pub(crate) use std::sync::{Arc, Mutex, MutexGuard, atomic};

/// Locks a mutex under which no foreign code runs, so that poison means nothing.
#[inline]
pub(crate) fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

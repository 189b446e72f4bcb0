//! The locks, atomics and cells of std, or those of loom when the crate is built with `--cfg loom`.
//!
//! Code whose thread interleavings are modelled takes them from here. The cell has loom's shape in
//! both builds, a closure that gets a pointer, so that loom can see how long each access lasts.

use std::sync::PoisonError;

#[cfg(loom)]
pub(crate) use ::loom::{
    cell::UnsafeCell,
    sync::{Arc, Condvar, Mutex, MutexGuard, atomic},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, atomic};

/// Locks a mutex under which no foreign code runs, so that poison means nothing.
pub(crate) fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// std's `UnsafeCell` behind the interface of loom's.
#[cfg(not(loom))]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    /// Lends the pointer to the content for one access that only reads, beside others of its kind.
    #[inline]
    pub(crate) fn with<R>(&self, access: impl FnOnce(*const T) -> R) -> R {
        access(self.0.get())
    }

    /// Lends the pointer to the content for one exclusive access.
    #[inline]
    pub(crate) fn with_mut<R>(&self, access: impl FnOnce(*mut T) -> R) -> R {
        access(self.0.get())
    }
}

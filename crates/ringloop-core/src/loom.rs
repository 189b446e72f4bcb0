//! The locks and atomics of std, or those of loom when the crate is built with `--cfg loom`.
//!
//! Code whose thread interleavings are modelled takes its locks, atomics and cells from here. The
//! cell has loom's shape in both builds, a closure that gets a pointer, so that loom can see how
//! long each access lasts.

#[cfg(loom)]
pub(crate) use ::loom::{
    cell::UnsafeCell,
    sync::{Condvar, Mutex, MutexGuard, atomic},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, atomic};

/// std's `UnsafeCell` behind the interface of loom's.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    /// Lends the pointer to the content for one exclusive access.
    #[inline]
    pub(crate) fn with_mut<R>(&self, access: impl FnOnce(*mut T) -> R) -> R {
        access(self.0.get())
    }
}

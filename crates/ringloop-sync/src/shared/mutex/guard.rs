//! The value of a mutex, and the right to use it.
//!
//! # Invariants
//!
//! - **I1** The value is reached through a [`MutexGuard`] or by who owns its [`Locked`], and only so.
//! - **I2** A guard has the [`Held`] of the lock beside the value, and there is at most one `Held` of
//!   a lock at a time.
//! - **I3** Whoever gets a `Held` sees what was done under the one before: the lock orders them.

#![expect(
    unsafe_code,
    reason = "the value is shared between threads, and the lock says whose turn it is"
)]

use std::cell::UnsafeCell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr;

use super::raw::{Held, RawMutex};

/// A lock, and the value that it guards.
pub(super) struct Locked<T: ?Sized> {
    pub(super) raw: RawMutex,
    value: UnsafeCell<T>,
}

// SAFETY: I1 to I3: sharing it lets one thread at a time use the value, in any order of threads,
// and take it out of its place; so the value has to be `Send`, and nothing more.
unsafe impl<T: ?Sized + Send> Sync for Locked<T> {}

impl<T> Locked<T> {
    #[cfg(not(loom))]
    pub(super) const fn new(value: T) -> Self {
        Self {
            raw: RawMutex::new(),
            value: UnsafeCell::new(value),
        }
    }

    #[cfg(loom)]
    pub(super) fn new(value: T) -> Self {
        Self {
            raw: RawMutex::new(),
            value: UnsafeCell::new(value),
        }
    }

    pub(super) fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Locked<T> {
    pub(super) fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The guard of this lock, which `held` has to be of.
    #[inline]
    pub(super) fn guard<'a>(&'a self, held: Held<'a>) -> MutexGuard<'a, T> {
        assert!(ptr::eq(held.mutex(), &raw const self.raw), "I2");
        MutexGuard {
            value: &self.value,
            held,
        }
    }
}

/// The right to use the value of a [`Mutex`](crate::shared::Mutex); dropped, it gives the lock up.
///
/// It may be held while something is awaited, and sent to another thread if the value may be.
#[must_use = "a guard that is dropped gives the lock up at once"]
pub struct MutexGuard<'a, T: ?Sized> {
    value: &'a UnsafeCell<T>,
    held: Held<'a>,
}

// SAFETY: a guard is `&mut T`, by I2, and a lock that any thread may give up.
unsafe impl<T: ?Sized + Send> Send for MutexGuard<'_, T> {}

// SAFETY: a shared guard is `&T`, by I2, and a lock that is not given up through it.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: I2 and I3: nobody else reaches the value, and the guard lends it as itself is lent.
        unsafe { &*self.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: I2 and I3: nobody else reaches the value, and the guard is lent exclusively.
        unsafe { &mut *self.value.get() }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("MutexGuard");
        debug.field("value", &&**self);
        self.held.mutex().describe(&mut debug);
        debug.finish()
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

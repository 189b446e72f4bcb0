//! The right to use the value of a mutex.

use std::cell::RefMut;
use std::fmt;
use std::ops::{Deref, DerefMut};

use super::Body;

/// The right to use the value of a [`Mutex`](crate::Mutex); dropped, it gives the lock up.
///
/// It belongs to the thread of its mutex:
///
/// ```compile_fail,E0277
/// let mutex = ringloop_sync::Mutex::new(1);
/// let guard = mutex.try_lock().unwrap();
/// std::thread::scope(|scope| {
///     scope.spawn(move || drop(guard));
/// });
/// ```
#[must_use = "a guard that is dropped gives the lock up at once"]
pub struct MutexGuard<'a, T: ?Sized> {
    // Dropped in this order: whoever is woken may use the value.
    value: RefMut<'a, T>,
    held: Held<'a, T>,
}

/// A lock that is held.
struct Held<'a, T: ?Sized>(&'a Body<T>);

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// The guard of a lock that the caller has been given.
    #[inline]
    pub(crate) fn new(body: &'a Body<T>) -> Self {
        Self {
            value: body.value.borrow_mut(),
            held: Held(body),
        }
    }

    /// Returns what it takes to lock the same mutex again.
    #[inline]
    pub(crate) fn body(&self) -> &'a Body<T> {
        self.held.0
    }
}

impl<T: ?Sized> Drop for Held<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.0.raw.unlock();
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("MutexGuard");
        debug.field("value", &&*self.value);
        self.held.0.raw.describe(&mut debug);
        debug.finish()
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

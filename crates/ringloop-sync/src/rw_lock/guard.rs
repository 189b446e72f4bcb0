//! The rights to look at the value, and to change it.

use std::cell::{Ref, RefMut};
use std::fmt;
use std::ops::{Deref, DerefMut};

use super::Body;
use super::raw::Access;
use crate::deadlock::Hold;

/// The right to look at the value of an [`RwLock`](crate::RwLock); dropped, it gives the lock up.
///
/// It belongs to the thread of its lock.
#[must_use = "a guard that is dropped gives the lock up at once"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    // Dropped in this order: whoever is woken may use the value.
    value: Ref<'a, T>,
    held: Held<'a, T>,
}

/// The right to change the value of an [`RwLock`](crate::RwLock); dropped, it gives the lock up.
///
/// It belongs to the thread of its lock.
#[must_use = "a guard that is dropped gives the lock up at once"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    // Dropped in this order: whoever is woken may use the value.
    value: RefMut<'a, T>,
    held: Held<'a, T>,
}

/// A lock that is held.
struct Held<'a, T: ?Sized> {
    body: &'a Body<T>,
    access: Access,
    hold: Hold,
}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// The guard of a lock that the caller has been given.
    #[inline]
    pub(super) fn new(body: &'a Body<T>, hold: Hold) -> Self {
        Self {
            value: body.value.borrow(),
            held: Held {
                body,
                access: Access::Read,
                hold,
            },
        }
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// The guard of a lock that the caller has been given.
    #[inline]
    pub(super) fn new(body: &'a Body<T>, hold: Hold) -> Self {
        Self {
            value: body.value.borrow_mut(),
            held: Held {
                body,
                access: Access::Write,
                hold,
            },
        }
    }

    /// Gives up the right to change the value, and keeps that to look at it.
    ///
    /// Nobody changes the value in between. Readers that are next in line come in at once.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// let mut value = lock.try_write().unwrap();
    /// assert!(lock.try_read().is_none());
    /// *value += 1;
    /// let value = value.downgrade();
    /// assert_eq!((*value, *lock.try_read().unwrap()), (2, 2));
    /// ```
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        let Self { value, mut held } = self;
        drop(value);
        held.access = Access::Read;
        let value = held.body.value.borrow();
        // The last step: it wakes others, who may look at the value.
        let guard = RwLockReadGuard { value, held };
        guard.held.body.raw.downgrade();
        guard
    }
}

impl<T: ?Sized> Drop for Held<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.body.raw.unlock(self.access, self.hold);
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RwLockReadGuard");
        debug.field("value", &&*self.value);
        self.held.body.raw.describe(&mut debug);
        debug.finish()
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RwLockWriteGuard");
        debug.field("value", &&*self.value);
        self.held.body.raw.describe(&mut debug);
        debug.finish()
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

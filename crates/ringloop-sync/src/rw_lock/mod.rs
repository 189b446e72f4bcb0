//! A lock around a value for many readers or one writer, for the tasks of one thread.
//!
//! | file | what it has |
//! |---|---|
//! | `raw` | the lock itself: who has it, who waits |
//! | `lock` | the futures of a read lock and of a write lock |
//! | `guard` | the rights to look at the value, and to change it |
//!
//! The value is in a [`RefCell`], as that of a [`Mutex`](crate::Mutex).

mod guard;
mod lock;
mod raw;

pub use guard::{RwLockReadGuard, RwLockWriteGuard};
pub use lock::{ReadLock, WriteLock};
pub use raw::RwLockStatistics;

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use self::raw::{Access, Claim, RawRwLock};
use crate::deadlock::Hold;
use crate::host::Host;

/// A lock around a value for many readers or one writer, for the tasks of one thread.
///
/// Strictly first come, first served: a writer that waits keeps out the readers that come after it,
/// and readers next to each other in the line come in together. The lock is handed over: from the
/// moment it is given up it belongs to those who are next, and nobody barges in before they run. A
/// waiter that is cancelled or dropped after the lock was given to it passes it on; one that goes
/// away earlier keeps nobody out any more.
///
/// A task that has the lock and asks for it again may wait for itself, even to read it twice: a
/// writer may have come in between. Debug mode [reports](crate::deadlock) that.
/// To share it, put it into an [`Rc`](std::rc::Rc). asyncio has no counterpart.
///
/// # Examples
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// use ringloop_sync::RwLock;
///
/// let lock = RwLock::new(vec![1]);
/// # let mut cx = Context::from_waker(Waker::noop());
/// # let mut task = pin!(async {
/// {
///     let one = lock.read().await;
///     let other = lock.read().await;
///     assert_eq!(one[0] + other[0], 2);
///     assert!(lock.try_write().is_none());
/// }
/// lock.write().await.push(2);
/// assert_eq!(lock.into_inner(), [1, 2]);
/// # });
/// # assert!(task.as_mut().poll(&mut cx).is_ready());
/// ```
pub struct RwLock<T: ?Sized, H> {
    host: PhantomData<fn() -> H>,
    body: Body<T>,
}

/// What the guards know of a lock.
struct Body<T: ?Sized> {
    raw: RawRwLock,
    value: RefCell<T>,
}

impl<T, H: Host> RwLock<T, H> {
    /// Makes a lock that nobody has.
    pub const fn new(value: T) -> Self {
        Self {
            host: PhantomData,
            body: Body {
                raw: RawRwLock::new(),
                value: RefCell::new(value),
            },
        }
    }

    /// Returns the value.
    pub fn into_inner(self) -> T {
        self.body.value.into_inner()
    }
}

impl<T: ?Sized, H: Host> RwLock<T, H> {
    /// Locks the value to look at it, together with others who do, waiting for the writers that
    /// came before.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait was cancelled: nothing is locked by it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled, it leaves its place in the line, or passes the lock on
    /// that it was given.
    #[track_caller]
    #[inline]
    pub fn read(&self) -> ReadLock<'_, T, H> {
        ReadLock::new(self, Location::caller())
    }

    /// Locks the value to change it, waiting until all who came before are done with it.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe, as [`read`](Self::read). Readers that waited only for it come in.
    #[track_caller]
    #[inline]
    pub fn write(&self) -> WriteLock<'_, T, H> {
        WriteLock::new(self, Location::caller())
    }

    /// Locks the value to look at it, if no writer has it and nobody waits for it.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[track_caller]
    #[inline]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.try_lock(Access::Read, Location::caller())
            .map(|hold| RwLockReadGuard::new(&self.body, hold))
    }

    /// Locks the value to change it, if nobody has it.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[track_caller]
    #[inline]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        self.try_lock(Access::Write, Location::caller())
            .map(|hold| RwLockWriteGuard::new(&self.body, hold))
    }

    #[inline]
    fn try_lock(&self, access: Access, at: &'static Location<'static>) -> Option<Hold> {
        self.body.raw.try_lock::<H>(Claim { access, at }, None)
    }

    /// Returns the value, which nobody else can use meanwhile.
    pub fn get_mut(&mut self) -> &mut T {
        self.body.value.get_mut()
    }

    /// Returns how things stand.
    #[must_use]
    pub fn statistics(&self) -> RwLockStatistics {
        self.body.raw.statistics()
    }
}

impl<T: Default, H: Host> Default for RwLock<T, H> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T, H: Host> From<T> for RwLock<T, H> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug, H> fmt::Debug for RwLock<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RwLock");
        match self.body.value.try_borrow() {
            Ok(value) => debug.field("value", &&*value),
            Err(_) => debug.field("value", &format_args!("<locked>")),
        };
        self.body.raw.describe(&mut debug);
        debug.finish()
    }
}

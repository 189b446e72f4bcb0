//! A lock around a value, for the tasks of one thread.
//!
//! | file | what it has |
//! |---|---|
//! | `raw` | the lock itself: who has it, who waits |
//! | `lock` | the future of a lock |
//! | `guard` | the right to use the value |
//!
//! The value is in a [`RefCell`] whose borrow flag the lock makes redundant; it is what spares this
//! crate unsafe code, at the cost of one more store.

mod guard;
mod lock;
mod raw;

pub use guard::MutexGuard;
pub use lock::Lock;
pub use raw::MutexStatistics;
use raw::RawMutex;

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::host::Host;

/// A lock around a value, for the tasks of one thread.
///
/// Strictly first come, first served: a lock that is given up while tasks wait belongs to the first
/// of them at once, and nobody barges in before that task runs, not even the one that gave it up. A
/// waiter that is cancelled or dropped after the lock was given to it passes it on.
///
/// A task that locks a mutex which it has locked waits for itself, as in asyncio; debug mode
/// [reports](crate::deadlock) it, and tasks that wait for each other.
/// [`try_lock`](Self::try_lock) never waits.
/// To share it, put it into an [`Rc`](std::rc::Rc). Counterpart: `asyncio.Lock`, `trio.Lock`.
///
/// # Examples
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// use ringloop_sync::Mutex;
///
/// let mutex = Mutex::new(1);
/// # let mut cx = Context::from_waker(Waker::noop());
/// # let mut task = pin!(async {
/// {
///     let mut value = mutex.lock().await;
///     *value += 1;
///     assert!(mutex.try_lock().is_none());
/// }
/// assert_eq!(mutex.into_inner(), 2);
/// # });
/// # assert!(task.as_mut().poll(&mut cx).is_ready());
/// ```
#[doc(alias("Lock", "asyncio.Lock"))]
pub struct Mutex<T: ?Sized, H> {
    host: PhantomData<fn() -> H>,
    body: Body<T>,
}

/// What the guards know of a mutex.
pub(crate) struct Body<T: ?Sized> {
    pub(crate) raw: RawMutex,
    value: RefCell<T>,
}

impl<T, H: Host> Mutex<T, H> {
    /// Makes a mutex that nobody has locked.
    pub const fn new(value: T) -> Self {
        Self {
            host: PhantomData,
            body: Body {
                raw: RawMutex::new(),
                value: RefCell::new(value),
            },
        }
    }

    /// Returns the value.
    pub fn into_inner(self) -> T {
        self.body.value.into_inner()
    }
}

impl<T: ?Sized, H: Host> Mutex<T, H> {
    /// Locks the mutex, waiting until those who came before are done with it.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait was cancelled: the mutex is not locked by
    /// it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled, it leaves its place in the line, or passes the lock on
    /// that it was given.
    #[doc(alias = "acquire")]
    #[track_caller]
    #[inline]
    pub fn lock(&self) -> Lock<'_, T, H> {
        Lock::new(self, Location::caller())
    }

    /// Locks the mutex if nobody has it and nobody waits for it.
    ///
    /// Counterpart: `trio.Lock.acquire_nowait`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "acquire_nowait")]
    #[track_caller]
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let is_given = self.body.raw.try_lock::<H>(Location::caller(), None);
        is_given.then(|| MutexGuard::new(&self.body))
    }

    /// Returns whether somebody has the lock, or it is on its way to somebody.
    #[doc(alias = "locked")]
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.body.raw.is_locked()
    }

    /// Returns the value, which nobody else can use meanwhile.
    pub fn get_mut(&mut self) -> &mut T {
        self.body.value.get_mut()
    }

    /// Returns how things stand. Counterpart: `trio.Lock.statistics`.
    #[must_use]
    pub fn statistics(&self) -> MutexStatistics {
        self.body.raw.statistics()
    }
}

impl<T: Default, H: Host> Default for Mutex<T, H> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T, H: Host> From<T> for Mutex<T, H> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: ?Sized + fmt::Debug, H> fmt::Debug for Mutex<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Mutex");
        match self.body.value.try_borrow() {
            Ok(value) => debug.field("value", &&*value),
            Err(_) => debug.field("value", &format_args!("<locked>")),
        };
        self.body.raw.describe(&mut debug);
        debug.finish()
    }
}

//! A lock around a value, for tasks and threads.
//!
//! | file | what it has |
//! |---|---|
//! | `state` | the word of the lock, which is all that is touched while nobody waits |
//! | `raw` | the lock itself: who has it, who waits |
//! | `guard` | the value, and the right to use it |
//! | `lock` | the future of a lock |

mod guard;
mod lock;
mod raw;
mod state;

pub use guard::MutexGuard;
pub use lock::Lock;

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::time::Duration;

use crate::host::{AnyExecutor, Host};
use crate::mutex::MutexStatistics;
use guard::Locked;
use raw::RawLock;
use ringloop_core::block_on;

/// A lock around a value, for tasks of several loops and for plain threads.
///
/// Strictly first come, first served: a lock that is given up while somebody waits belongs to the
/// first of them at once, and nobody barges in before that one runs. A waiter that is cancelled or
/// dropped after the lock was given to it passes it on. While nobody waits, locking and unlocking
/// are one atomic operation each.
///
/// The guard may be held while something is awaited. Who locks a mutex which it has locked waits
/// for itself. To share it, put it into an [`Arc`](std::sync::Arc) or a `static`. Within one
/// thread, [`Mutex`](crate::Mutex) costs less.
/// Counterpart: `anyio.Lock` together with `threading.Lock`; asyncio has none.
///
/// # Examples
///
/// A task and a thread:
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// use ringloop_sync::shared::Mutex;
///
/// static TOTAL: Mutex<u32> = Mutex::new(1);
///
/// let thread = std::thread::spawn(|| *TOTAL.blocking_lock() += 1);
/// # thread.join().unwrap();
/// # let thread = std::thread::spawn(|| ());
/// # let mut cx = Context::from_waker(Waker::noop());
/// # let mut task = pin!(async {
/// *TOTAL.lock().await += 1;
/// # });
/// # assert!(task.as_mut().poll(&mut cx).is_ready());
/// thread.join().unwrap();
/// assert_eq!(*TOTAL.blocking_lock(), 3);
/// ```
#[doc(alias("Lock", "threading.Lock"))]
pub struct Mutex<T: ?Sized, H> {
    host: PhantomData<fn() -> H>,
    locked: Locked<T>,
}

impl<T, H: Host> Mutex<T, H> {
    /// Makes a mutex that nobody has locked.
    #[cfg(not(loom))]
    pub const fn new(value: T) -> Self {
        Self {
            host: PhantomData,
            locked: Locked::new(value),
        }
    }

    /// Makes a mutex that nobody has locked.
    #[cfg(loom)]
    pub fn new(value: T) -> Self {
        Self {
            host: PhantomData,
            locked: Locked::new(value),
        }
    }

    /// Returns the value.
    pub fn into_inner(self) -> T {
        self.locked.into_inner()
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
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "acquire_nowait")]
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let held = self.locked.raw.try_lock()?;
        Some(self.locked.guard(held))
    }

    /// Locks the mutex, blocking this thread until those who came before are done with it.
    ///
    /// For plain threads. On the thread of an event loop it stops the loop, for ever if a task of
    /// that loop has the lock: await [`lock`](Self::lock) there.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    #[track_caller]
    #[inline]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        match self.block(None, Location::caller()) {
            Some(guard) => guard,
            None => unreachable!("without a timeout it waits for the lock"),
        }
    }

    /// Locks the mutex, blocking this thread for at most `timeout`. `None` if that was too short.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_sync::shared::Mutex;
    /// use std::time::Duration;
    ///
    /// let mutex = Mutex::new(());
    /// let held = mutex.blocking_lock();
    /// assert!(mutex.blocking_lock_timeout(Duration::from_millis(1)).is_none());
    /// # drop(held);
    /// ```
    #[track_caller]
    pub fn blocking_lock_timeout(&self, timeout: Duration) -> Option<MutexGuard<'_, T>> {
        self.block(Some(timeout), Location::caller())
    }

    #[inline]
    fn block(
        &self,
        timeout: Option<Duration>,
        at: &'static Location<'static>,
    ) -> Option<MutexGuard<'_, T>> {
        if let Some(guard) = self.try_lock() {
            return Some(guard);
        }
        let mut wait = RawLock::<AnyExecutor>::new(&self.locked.raw, at);
        let held = match block_on(timeout, |cx| wait.poll(cx)) {
            Some(Ok(held)) => Some(held),
            None => wait.give_up(),
        };
        held.map(|held| self.locked.guard(held))
    }

    /// Returns whether somebody has the lock, or it is on its way to somebody.
    #[doc(alias = "locked")]
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.locked.raw.is_locked()
    }

    /// Returns the value, which nobody else can use meanwhile.
    pub fn get_mut(&mut self) -> &mut T {
        self.locked.get_mut()
    }

    /// Returns how things stand; they may stand differently by then.
    #[must_use]
    pub fn statistics(&self) -> MutexStatistics {
        self.locked.raw.statistics()
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
        match self.locked.raw.try_lock() {
            Some(held) => debug.field("value", &&*self.locked.guard(held)),
            None => debug.field("value", &format_args!("<locked>")),
        };
        self.locked.raw.describe(&mut debug);
        debug.finish()
    }
}

#[cfg(all(test, loom))]
mod tests;

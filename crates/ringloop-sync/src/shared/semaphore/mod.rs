//! A number of permits that tasks and threads share.
//!
//! | file | what it has |
//! |---|---|
//! | `state` | the word of the semaphore, which is all that is touched while nobody waits |
//! | `raw` | the permits: how many there are, who waits for how many |
//! | `acquire` | the futures of permits |
//! | `permit` | permits that are held |

mod acquire;
mod permit;
mod raw;
mod state;

pub use acquire::{Acquire, AcquireOwned};
pub use permit::{OwnedPermit, Permit};
pub use raw::SemaphoreStatistics;

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use crate::host::{AnyExecutor, Host};
use raw::RawSemaphore;
use ringloop_core::block_on;

/// A number of permits that tasks of several loops and plain threads share.
///
/// Strictly first come, first served: whoever asks for many permits holds back those behind who ask
/// for few, and permits that are given back belong to the first of those who wait at once. A waiter
/// that is cancelled or dropped after the permits were given to it passes them on. While nobody
/// waits, taking permits and giving them back are one atomic operation each.
///
/// To share it, put it into an [`Arc`] or a `static`. Within one thread, the semaphore at the root of
/// the crate costs less. Counterpart: `anyio.Semaphore` together with `threading.Semaphore`.
///
/// # Examples
///
/// ```
/// use ringloop_sync::shared::Semaphore;
///
/// static CONNECTIONS: Semaphore = Semaphore::new(2);
///
/// let first = CONNECTIONS.blocking_acquire();
/// let thread = std::thread::spawn(|| CONNECTIONS.blocking_acquire().num_permits());
/// assert_eq!(thread.join().unwrap(), 1);
/// assert_eq!(CONNECTIONS.available(), 1);
/// # drop(first);
/// ```
#[doc(alias("threading.Semaphore"))]
pub struct Semaphore<H> {
    raw: RawSemaphore,
    host: PhantomData<fn() -> H>,
}

impl<H: Host> Semaphore<H> {
    /// Makes a semaphore of so many permits, which may become more.
    ///
    /// # Panics
    ///
    /// If there are more than `usize::MAX / 2`.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new(permits: usize) -> Self {
        Self {
            raw: RawSemaphore::new(permits),
            host: PhantomData,
        }
    }

    /// Makes a semaphore of so many permits, which may become more.
    #[cfg(loom)]
    #[must_use]
    pub fn new(permits: usize) -> Self {
        Self {
            raw: RawSemaphore::new(permits),
            host: PhantomData,
        }
    }

    /// Takes a permit, waiting until those who came before have theirs.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait was cancelled: no permit is taken by it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled, it leaves its place in the line, or passes the permit on
    /// that it was given.
    #[track_caller]
    #[inline]
    pub fn acquire(&self) -> Acquire<'_, H> {
        self.acquire_many(1)
    }

    /// Takes so many permits, all at once, waiting until those who came before have theirs.
    ///
    /// While it waits for the last of them it holds none, and nobody behind it gets any. No permits
    /// are there at once, whoever waits. More than there are in all are waited for: somebody may
    /// [add](Self::add_permits) them.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait was cancelled: no permits are taken by it.
    ///
    /// # Cancel safety
    ///
    /// As [`acquire`](Self::acquire).
    #[track_caller]
    #[inline]
    pub fn acquire_many(&self, permits: usize) -> Acquire<'_, H> {
        Acquire::new(&self.raw, permits, Location::caller())
    }

    /// Takes a permit if one is there and nobody waits.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "acquire_nowait")]
    #[inline]
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes so many permits if they are there and nobody waits. No permits are always there.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline]
    pub fn try_acquire_many(&self, permits: usize) -> Option<Permit<'_>> {
        (self.raw.try_acquire(permits)).then(|| Permit::new(&self.raw, permits))
    }

    /// Takes a permit, blocking this thread until those who came before have theirs.
    ///
    /// For plain threads. On the thread of an event loop it stops the loop, for ever if a task of
    /// that loop has the permit: await [`acquire`](Self::acquire) there.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    #[track_caller]
    #[inline]
    pub fn blocking_acquire(&self) -> Permit<'_> {
        self.blocking_acquire_many(1)
    }

    /// Takes so many permits, all at once, blocking this thread meanwhile.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    #[track_caller]
    #[inline]
    pub fn blocking_acquire_many(&self, permits: usize) -> Permit<'_> {
        match self.block(permits, None, Location::caller()) {
            Some(permit) => permit,
            None => unreachable!("without a timeout it waits for the permits"),
        }
    }

    /// Takes a permit, blocking this thread for at most `timeout`. `None` if that was too short.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    #[track_caller]
    pub fn blocking_acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>> {
        self.blocking_acquire_many_timeout(1, timeout)
    }

    /// Takes so many permits, all at once, blocking this thread for at most `timeout`. `None` if that
    /// was too short.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    #[track_caller]
    pub fn blocking_acquire_many_timeout(
        &self,
        permits: usize,
        timeout: Duration,
    ) -> Option<Permit<'_>> {
        self.block(permits, Some(timeout), Location::caller())
    }

    #[inline]
    fn block(
        &self,
        permits: usize,
        timeout: Option<Duration>,
        at: &'static Location<'static>,
    ) -> Option<Permit<'_>> {
        if let Some(permit) = self.try_acquire_many(permits) {
            return Some(permit);
        }
        let mut wait = Acquire::<AnyExecutor>::new(&self.raw, permits, at);
        match block_on(timeout, |cx| wait.poll_acquire(cx)) {
            Some(Ok(permit)) => Some(permit),
            None => wait.give_up(),
        }
    }

    /// Takes a permit that keeps the semaphore alive, as [`acquire`](Self::acquire) does.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    ///
    /// As [`acquire`](Self::acquire).
    #[track_caller]
    #[inline]
    pub fn acquire_owned(self: Arc<Self>) -> AcquireOwned<H> {
        self.acquire_many_owned(1)
    }

    /// Takes so many permits that keep the semaphore alive, as
    /// [`acquire_many`](Self::acquire_many) does.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Self::acquire).
    ///
    /// # Cancel safety
    ///
    /// As [`acquire`](Self::acquire).
    #[track_caller]
    #[inline]
    pub fn acquire_many_owned(self: Arc<Self>, permits: usize) -> AcquireOwned<H> {
        AcquireOwned::new(self, permits, Location::caller())
    }

    /// Takes a permit that keeps the semaphore alive if one is there and nobody waits.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline]
    pub fn try_acquire_owned(self: Arc<Self>) -> Option<OwnedPermit<H>> {
        self.try_acquire_many_owned(1)
    }

    /// Takes so many permits that keep the semaphore alive if they are there and nobody waits.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline]
    pub fn try_acquire_many_owned(self: Arc<Self>, permits: usize) -> Option<OwnedPermit<H>> {
        (self.raw.try_acquire(permits)).then(|| OwnedPermit::new(self, permits))
    }

    /// Adds permits: those that were [forgotten](Permit::forget), or new ones.
    ///
    /// Permits that are dropped are given back by themselves.
    ///
    /// # Panics
    ///
    /// If more than `usize::MAX / 2` were there. Nothing has changed then.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "release")]
    #[inline]
    #[track_caller]
    pub fn add_permits(&self, permits: usize) {
        self.raw.release(permits);
    }

    /// Returns how many permits nobody holds; there may be more or fewer by then.
    ///
    /// Some may be there while somebody waits, if the first one wants more.
    #[doc(alias("value", "available_permits"))]
    #[must_use]
    #[inline]
    pub fn available(&self) -> usize {
        self.raw.available()
    }

    /// Returns how things stand; they may stand differently by then.
    #[must_use]
    pub fn statistics(&self) -> SemaphoreStatistics {
        self.raw.statistics()
    }
}

impl<H> fmt::Debug for Semaphore<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statistics = self.raw.statistics();
        f.debug_struct("Semaphore")
            .field("available", &statistics.available)
            .field("waiting", &statistics.waiting)
            .finish()
    }
}

#[cfg(all(test, loom))]
mod tests;

//! A number of permits that tasks share.
//!
//! | file | what it has |
//! |---|---|
//! | `raw` | the permits: how many there are, who waits for how many |
//! | `acquire` | the futures of permits |
//! | `permit` | permits that are held |

mod acquire;
mod permit;
mod raw;

pub use acquire::{Acquire, AcquireOwned};
pub use permit::{OwnedPermit, Permit};
pub use raw::{OverRelease, SemaphoreStatistics};

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::rc::Rc;

use crate::host::Host;
use raw::RawSemaphore;

/// A number of permits that the tasks of one thread share.
///
/// Strictly first come, first served: whoever asks for many permits holds back those behind who ask
/// for few, and permits that are given back belong to the first of those who wait before any task
/// runs. When the first one leaves, the others are looked at again. A waiter that is cancelled or
/// dropped after the permits were given to it passes them on.
///
/// Permits may be lost for good ([`Permit::forget`]) and brought from nowhere
/// ([`release`](Self::release)); a [`bounded`](Self::bounded) semaphore takes back what was
/// forgotten and no more. A semaphore that begins with no permits is fine: it waits for the first
/// release.
///
/// To share it, put it into an [`Rc`]. Counterpart: `asyncio.Semaphore`,
/// `asyncio.BoundedSemaphore`.
///
/// # Examples
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// use ringloop_sync::Semaphore;
///
/// let connections = Semaphore::new(2);
/// # let mut cx = Context::from_waker(Waker::noop());
/// # let mut task = pin!(async {
/// let first = connections.acquire().await;
/// let second = connections.acquire().await;
/// assert!(connections.try_acquire().is_none());
/// drop(first);
/// assert_eq!(connections.available(), 1);
/// # drop(second);
/// # });
/// # assert!(task.as_mut().poll(&mut cx).is_ready());
/// ```
#[doc(alias("BoundedSemaphore", "asyncio.Semaphore", "trio.Semaphore"))]
pub struct Semaphore<H> {
    raw: RawSemaphore,
    host: PhantomData<fn() -> H>,
}

impl<H: Host> Semaphore<H> {
    /// Makes a semaphore of so many permits, which may become more.
    #[must_use]
    pub const fn new(permits: usize) -> Self {
        Self {
            raw: RawSemaphore::new(permits, None),
            host: PhantomData,
        }
    }

    /// Makes a semaphore of so many permits, which never become more.
    ///
    /// Counterpart: `asyncio.BoundedSemaphore`, `trio.Semaphore(n, max_value=n)`.
    ///
    /// # Examples
    ///
    /// ```
    /// let semaphore = ringloop_sync::Semaphore::bounded(2);
    /// semaphore.try_acquire().unwrap().forget();
    /// assert!(semaphore.release(2).is_err()); // One of the two was never taken away.
    /// assert!(semaphore.release(1).is_ok());
    /// ```
    #[must_use]
    pub const fn bounded(permits: usize) -> Self {
        Self {
            raw: RawSemaphore::new(permits, Some(permits)),
            host: PhantomData,
        }
    }

    /// Takes a permit, waiting until those who came before have theirs.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait was cancelled: no permit is taken by it.
    ///
    /// # Panics
    ///
    /// If the semaphore is bounded and never has a permit.
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
    /// are there at once, whoever waits. More than an unbounded semaphore has ever had are waited
    /// for: somebody may [release](Self::release) them.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait was cancelled: no permits are taken by it.
    ///
    /// # Panics
    ///
    /// If the semaphore is bounded and never has so many.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled, it leaves its place in the line, or passes the permits on
    /// that it was given.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use std::task::{Context, Poll, Waker};
    /// let memory = ringloop_sync::Semaphore::new(10);
    /// # let mut cx = Context::from_waker(Waker::noop());
    /// # let mut task = pin!(async {
    /// let seven = memory.acquire_many(7).await;
    /// let mut many = pin!(memory.acquire_many(5));
    /// # // In another task.
    /// # assert!(many.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    /// assert!(memory.try_acquire().is_none(), "three are there, but somebody waits for five");
    /// drop(seven);
    /// assert_eq!(memory.available(), 5);
    /// # });
    /// # assert!(task.as_mut().poll(&mut cx).is_ready());
    /// ```
    #[track_caller]
    #[inline]
    pub fn acquire_many(&self, permits: usize) -> Acquire<'_, H> {
        self.raw.assert_possible(permits);
        Acquire::new(&self.raw, permits, Location::caller())
    }

    /// Takes a permit if one is there and nobody waits. Counterpart: `trio.Semaphore.acquire_nowait`.
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

    /// Takes a permit that keeps the semaphore alive, as [`acquire`](Self::acquire) does.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait was cancelled: no permit is taken by it.
    ///
    /// # Panics
    ///
    /// If the semaphore is bounded and never has a permit.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled, it leaves its place in the line, or passes the permit on
    /// that it was given.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use std::task::{Context, Poll, Waker};
    /// use ringloop_sync::{OwnedPermit, Semaphore};
    /// use std::rc::Rc;
    ///
    /// struct Connection {
    ///     permit: OwnedPermit, // Given back when the connection is dropped.
    /// }
    ///
    /// let connections = Rc::new(Semaphore::new(100));
    /// # let mut cx = Context::from_waker(Waker::noop());
    /// # let mut task = pin!(async {
    /// let permit = Rc::clone(&connections).acquire_owned().await;
    /// let connection = Connection { permit };
    /// assert_eq!(connections.available(), 99);
    /// # drop(connection.permit);
    /// # });
    /// # assert!(task.as_mut().poll(&mut cx).is_ready());
    /// ```
    #[track_caller]
    #[inline]
    pub fn acquire_owned(self: Rc<Self>) -> AcquireOwned<H> {
        self.acquire_many_owned(1)
    }

    /// Takes so many permits that keep the semaphore alive, as
    /// [`acquire_many`](Self::acquire_many) does.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait was cancelled: no permits are taken by it.
    ///
    /// # Panics
    ///
    /// If the semaphore is bounded and never has so many.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled, it leaves its place in the line, or passes the permits on
    /// that it was given.
    #[track_caller]
    #[inline]
    pub fn acquire_many_owned(self: Rc<Self>, permits: usize) -> AcquireOwned<H> {
        self.raw.assert_possible(permits);
        AcquireOwned::new(self, permits, Location::caller())
    }

    /// Takes a permit that keeps the semaphore alive if one is there and nobody waits.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline]
    pub fn try_acquire_owned(self: Rc<Self>) -> Option<OwnedPermit<H>> {
        self.try_acquire_many_owned(1)
    }

    /// Takes so many permits that keep the semaphore alive if they are there and nobody waits.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline]
    pub fn try_acquire_many_owned(self: Rc<Self>, permits: usize) -> Option<OwnedPermit<H>> {
        if self.raw.try_acquire(permits) {
            Some(OwnedPermit::new(self, permits))
        } else {
            None
        }
    }

    /// Adds permits of which nobody holds a guard: those that were
    /// [forgotten](Permit::forget), or new ones if the semaphore is not bounded.
    ///
    /// Guards that are dropped give theirs back by themselves.
    ///
    /// # Errors
    ///
    /// If there would be more permits, held and available, than the bound; without a bound, more
    /// than `usize::MAX`. Nothing has changed then.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "add_permits")]
    #[inline]
    pub fn release(&self, permits: usize) -> Result<(), OverRelease> {
        self.raw.release(permits)
    }

    /// Returns how many permits nobody holds.
    ///
    /// Some may be there while tasks wait, if the first of them wants more.
    #[doc(alias("value", "locked", "available_permits"))]
    #[must_use]
    #[inline]
    pub fn available(&self) -> usize {
        self.raw.available()
    }

    /// Returns how things stand. Counterpart: `trio.Semaphore.statistics`.
    #[must_use]
    pub fn statistics(&self) -> SemaphoreStatistics {
        self.raw.statistics()
    }
}

impl<H> fmt::Debug for Semaphore<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.raw.describe(f.debug_struct("Semaphore"))
    }
}

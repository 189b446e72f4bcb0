//! Tasks of one thread that wait for a change of what a mutex protects.
//!
//! | file | what it has |
//! |---|---|
//! | `wait` | the future of one wait: into the line, woken, the mutex locked again |
//! | `wait_while` | the future of a wait for a condition |
//!
//! The line belongs to the condition variable; which mutex is locked again is the business of each
//! wait.

mod wait;
mod wait_while;

pub use wait::CondvarWait;
pub use wait_while::CondvarWaitWhile;

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use ringloop_core::WaitList;
use ringloop_core::panics::Panics;

use crate::host::Host;
use crate::mutex::MutexGuard;

/// Tasks that wait for a change of what a mutex protects.
///
/// A wait takes the [`MutexGuard`], gives the mutex up, and comes back with a guard. Between the
/// two, and nowhere else, others may change what is protected. Nothing is missed: the task is in
/// the line before the mutex is given up.
///
/// First come, first served. A [`notify_one`](Self::notify_one) that has reached a task which is
/// dropped before it has the mutex again goes to the next. A task may be woken for nothing: it is
/// to look at the condition again, as [`wait_while`](Self::wait_while) does.
///
/// It belongs to no mutex: tasks may wait with guards of different ones, and each locks its own
/// again. Counterpart: `asyncio.Condition`, `trio.Condition`.
///
/// # Examples
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// use ringloop_sync::{Condvar, Mutex};
///
/// let items = Mutex::new(Vec::new());
/// let changed = Condvar::new();
///
/// # let mut cx = Context::from_waker(Waker::noop());
/// # let mut taker = pin!(async {
/// // One task:
/// let guard = items.lock().await;
/// let (mut guard, ()) = changed.wait_while(guard, |items| items.is_empty()).await;
/// assert_eq!(guard.pop(), Some(5));
/// # });
/// # assert!(taker.as_mut().poll(&mut cx).is_pending());
///
/// # let mut giver = pin!(async {
/// // Another task:
/// items.lock().await.push(5);
/// changed.notify_one();
/// # });
/// # assert!(giver.as_mut().poll(&mut cx).is_ready());
/// # assert!(taker.as_mut().poll(&mut cx).is_ready());
/// ```
#[doc(alias("Condition", "asyncio.Condition"))]
pub struct Condvar<H> {
    /// Those who wait, and for those who were woken whether the notice goes to another if they are
    /// gone.
    waiters: WaitList<bool>,
    host: PhantomData<fn() -> H>,
}

impl<H: Host> Condvar<H> {
    /// Makes a condition variable for which nobody waits.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            waiters: WaitList::new(),
            host: PhantomData,
        }
    }

    /// Gives the mutex up, waits to be notified, and locks the mutex again.
    ///
    /// Also when it is cancelled: the guard comes back in any case, and locking the mutex again is
    /// not cancelled. A wait that was notified before it was cancelled has succeeded.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, the second part of the output says why the wait was
    /// cancelled. It has not been notified, then.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe. Dropped, it leaves the mutex as it is, without its own lock, and passes on the
    /// notice that it had.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use std::task::{Context, Poll, Waker};
    /// # let (mutex, condvar) = (ringloop_sync::Mutex::new(()), ringloop_sync::Condvar::new());
    /// # let mut task = pin!(async {
    /// let guard = mutex.lock().await;
    /// let (guard, ()) = condvar.wait(guard).await;
    /// # drop(guard);
    /// # });
    /// # let mut cx = Context::from_waker(Waker::noop());
    /// # assert!(task.as_mut().poll(&mut cx).is_pending());
    /// # condvar.notify_one();
    /// # assert!(task.as_mut().poll(&mut cx).is_ready());
    /// ```
    #[track_caller]
    pub fn wait<'m, T: ?Sized>(&self, guard: MutexGuard<'m, T>) -> CondvarWait<'_, 'm, T, H> {
        CondvarWait::new(self, guard, Location::caller())
    }

    /// Waits as long as `condition` says yes of the value, looking at it first, and whenever
    /// notified.
    ///
    /// The condition sees the value under the lock. Counterpart: `asyncio.Condition.wait_for`,
    /// whose predicate says when to stop.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait). A wait whose condition came about before it saw that it is
    /// cancelled has succeeded.
    ///
    /// # Cancel safety
    ///
    /// As [`wait`](Self::wait).
    #[doc(alias("wait_for", "asyncio.Condition.wait_for"))]
    #[track_caller]
    pub fn wait_while<'m, T: ?Sized, F: FnMut(&mut T) -> bool>(
        &self,
        guard: MutexGuard<'m, T>,
        condition: F,
    ) -> CondvarWaitWhile<'_, 'm, T, F, H> {
        CondvarWaitWhile::new(CondvarWait::new(self, guard, Location::caller()), condition)
    }

    /// Notifies the task that waits longest, if one does.
    ///
    /// The mutex may be locked meanwhile, and the task goes on when it is not; it need not be.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline]
    pub fn notify_one(&self) {
        if let Ok((_, waker)) = self.waiters.grant_one(true) {
            waker.wake();
        }
    }

    /// Notifies the `count` tasks that wait longest, or all if there are fewer.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn notify(&self, count: usize) {
        let mut panics = Panics::default();
        for _ in 0..count.min(self.waiters.len()) {
            panics.catch(|| self.notify_one());
        }
        panics.resume();
    }

    /// Notifies all tasks that wait.
    ///
    /// Not those who begin to wait meanwhile.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn notify_all(&self) {
        self.waiters.wake_all();
    }

    /// Returns how things stand. Counterpart: `trio.Condition.statistics`.
    #[must_use]
    pub fn statistics(&self) -> CondvarStatistics {
        CondvarStatistics {
            waiting: self.waiters.len(),
        }
    }
}

impl<H: Host> Default for Condvar<H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H> fmt::Debug for Condvar<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar")
            .field("waiting", &self.waiters.len())
            .finish()
    }
}

/// How things stand with a condition variable; see
/// [`Condvar::statistics`](crate::hosted::Condvar::statistics).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CondvarStatistics {
    /// How many wait to be notified.
    pub waiting: usize,
}

//! The handle of a limiter.

use std::fmt;
use std::sync::Arc;

use crate::executor::Executor;

use super::limited::Limited;
use super::slot::Slot;
use super::state::Shared;
use super::stats::LimiterStats;

/// Lets at most so many jobs through at a time; the others wait, first come, first served.
///
/// One limiter is made per purpose: ten connections to a database, two jobs that need a gigabyte
/// each. It goes [over](Self::over) an executor, or over several that share the purpose. What
/// waits in the limiter occupies no thread, and takes nothing from other jobs of the same executor.
///
/// A slot is taken before a job is handed to its executor and is free again when the job is gone:
/// run to its end, dropped, or refused. That its waiter has left changes nothing, as long as the
/// job runs. A job that is cancelled while it waits in the limiter never takes a slot.
///
/// Clones share the limit and the queue. Jobs that wait stay when all handles are dropped, and are
/// let through as others end; if the limit is 0, and no slot is in use, they are rejected.
///
/// # Nested jobs
///
/// A job that offloads through its own limiter and [waits](crate::Offload::wait) for the result
/// runs the inner job itself, if that still waits, in its own slot. A job that blocks on the inner
/// one in any other way has a slot and waits for another one. If all slots are held by such jobs,
/// none goes on: give inner jobs a limiter of their own then, or none, because the outer one
/// bounds them as well.
///
/// Counterpart: `CapacityLimiter` of Trio, as used by `to_thread.run_sync`.
///
/// # Examples
///
/// ```
/// use ringloop_offload::{Limiter, ThreadPool, offload_on};
/// use std::sync::{Arc, mpsc};
///
/// let pool = Arc::new(ThreadPool::blocking());
/// let connections = Limiter::new(10);
/// let database = connections.over(Arc::clone(&pool));
/// let (sender, receiver) = mpsc::channel();
/// let offload = offload_on(&database, move || sender.send("a row"));
/// assert_eq!(receiver.recv(), Ok("a row"));
/// assert_eq!(connections.stats().granted, 1);
///
/// connections.set_limit(20); // Takes effect at once.
/// # drop(offload);
/// ```
#[doc(alias("CapacityLimiter", "semaphore"))]
#[derive(Clone)]
pub struct Limiter {
    shared: Arc<Shared>,
}

impl Limiter {
    /// Makes a limiter that lets `limit` jobs through at a time.
    ///
    /// With 0 it is paused: every job waits until the limit is [set](Self::set_limit). With
    /// `usize::MAX` none waits.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            shared: Arc::new(Shared::new(limit)),
        }
    }

    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
        }
    }

    /// Returns an executor that takes jobs for `executor`, under this limit.
    ///
    /// `executor` is kept until the [`Limited`] and its clones are gone, and no job for it waits in
    /// the limiter. To share a [`ThreadPool`](crate::ThreadPool), pass an `Arc` of it.
    pub fn over<E: Executor + 'static>(&self, executor: E) -> Limited<E> {
        Limited::new(&self.shared, executor)
    }

    /// Changes the limit while jobs run.
    ///
    /// If it grows, jobs that wait are handed to their executors within this call, in their order.
    /// If it shrinks, no more are let through until enough have ended. 0 pauses the limiter.
    ///
    /// Counterpart: setting `total_tokens` of Trio's limiter.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_offload::{Limiter, ThreadPool, offload_on};
    ///
    /// let limiter = Limiter::new(0);
    /// let paused = limiter.over(ThreadPool::fixed(1));
    /// let offload = offload_on(&paused, || ());
    /// assert_eq!(limiter.stats().waiting, 1);
    /// limiter.set_limit(1);
    /// assert_eq!(limiter.stats().waiting, 0);
    /// # drop(offload);
    /// ```
    pub fn set_limit(&self, limit: usize) {
        self.shared.set_limit(limit);
        Slot::grant_all(&self.shared);
    }

    /// Returns the limit.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.shared.limit()
    }

    /// Returns a snapshot of the limiter. It looks at every job that waits.
    #[must_use]
    pub fn stats(&self) -> LimiterStats {
        self.shared.stats()
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

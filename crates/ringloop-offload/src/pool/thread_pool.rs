//! The handle that owns a pool.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::executor::Executor;
use crate::job::Job;

use super::builder::PoolBuilder;
use super::config::Config;
use super::crew::Crew;
use super::handle::PoolHandle;
use super::report::ShutdownReport;
use super::stats::PoolStats;

/// A bounded pool of named threads that run jobs in the order in which they come.
///
/// Threads are started as jobs come, up to the bound: a job that finds no free thread has one woken
/// or started for it, one at a time, and from the second on mostly by the pool's own threads, so
/// that a burst does not hold up its submitter. Once jobs have run side by side, a thread is kept
/// in reserve for the next one. The most recently idle thread is the next to work, so that surplus
/// threads can leave after their keep-alive. A thread is free again when its job has ended, not
/// when the job's waiter has left.
///
/// A thread that has run out of work looks for more for some tens of microseconds before it
/// sleeps, if that has paid lately and nobody else needs the core: the next job then starts
/// without a system call. An idle pool sleeps undisturbed.
///
/// Jobs that find no thread wait in the pool's queue, never in the caller's thread. The queue has
/// no bound unless [it is given one](PoolBuilder::queue_bound), because each job in it belongs to a
/// live [`Offload`](crate::Offload): dropping one cancels its job, and cancelled jobs are swept out
/// as the queue grows, so that it stays within a small multiple of the most jobs that were alive at
/// a time. To bound the tasks that wait is to bound the queue.
///
/// A job that waits for another one of the same pool with [`Offload::wait`](crate::Offload::wait)
/// runs it itself if no thread has. One that blocks on another job by other means works as long as
/// a thread is free for the inner one. If every thread of the pool waits like that, none goes on:
/// [`PoolBuilder::on_stall`] finds and names such a deadlock.
///
/// Dropping the pool does not wait: jobs that run end in the background and their results still
/// come home, queued jobs are rejected, and each thread leaves when it has nothing to run.
/// [`shutdown`](Self::shutdown) waits, with a bound.
///
/// Counterpart: `concurrent.futures.ThreadPoolExecutor` of Python.
///
/// # Examples
///
/// ```
/// use ringloop_offload::{ThreadPool, offload_on};
/// use std::time::Duration;
///
/// let pool = ThreadPool::blocking();
/// let offload = offload_on(&pool, || std::fs::read_to_string("/proc/self/comm"));
/// // ... await `offload` ...
/// # drop(offload);
/// let report = pool.shutdown(Duration::from_secs(5));
/// assert_eq!(report.detached, 0);
/// ```
#[doc(alias = "ThreadPoolExecutor")]
#[must_use = "dropping the pool rejects what it has not started"]
pub struct ThreadPool {
    crew: Arc<Crew>,
}

impl ThreadPool {
    /// Makes a pool for work that blocks: up to 64 threads, which leave when idle for 10 seconds.
    pub fn blocking() -> Self {
        Self::builder().build()
    }

    /// Makes a pool of at most `threads` threads for work that computes.
    ///
    /// The threads are started one by one as jobs come, and stay as long as the pool.
    ///
    /// # Panics
    ///
    /// If `threads` is 0.
    #[track_caller]
    pub fn fixed(threads: usize) -> Self {
        Self::builder()
            .name("cpu")
            .max_threads(threads)
            .keep_alive(Duration::MAX)
            .build()
    }

    /// Returns a builder with the defaults of [`blocking`](Self::blocking).
    pub fn builder() -> PoolBuilder {
        PoolBuilder::new()
    }

    pub(super) fn new(config: Config) -> Self {
        Self {
            crew: Arc::new(Crew::new(config)),
        }
    }

    /// Closes the pool and waits up to `timeout` for the jobs that run.
    ///
    /// Queued jobs are rejected at once, and so is what comes later. What still runs after
    /// `timeout` is left to itself: its result still comes home if somebody waits for it. A second
    /// call waits again. When nothing is left running, all threads have left.
    ///
    /// This blocks the calling thread. A job that calls it on its own pool does not wait for itself;
    /// it is among those that [still run](ShutdownReport::still_running).
    ///
    /// Counterpart: `loop.shutdown_default_executor(timeout)` of asyncio.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    #[doc(alias = "shutdown_default_executor")]
    pub fn shutdown(&self, timeout: Duration) -> ShutdownReport {
        let (dropped, running_before) = self.crew.close();
        let still_running = self.crew.wait_empty(timeout);
        let detached = still_running.len();
        ShutdownReport {
            finished: running_before - detached,
            detached,
            dropped,
            still_running,
        }
    }

    /// Returns a way into the pool that does not keep it open.
    ///
    /// For jobs that offload more, and for executors that stand on a pool.
    #[must_use]
    pub fn handle(&self) -> PoolHandle {
        PoolHandle::new(Arc::clone(&self.crew))
    }

    /// Returns a snapshot of the pool.
    pub fn stats(&self) -> PoolStats {
        self.crew.stats()
    }
}

impl Executor for ThreadPool {
    /// Takes a job, unless the pool is shut down, is full, or has no thread and cannot start one.
    ///
    /// The refusal carries a [`PoolError`](crate::PoolError).
    fn execute(&self, job: Job) -> Result<(), Job> {
        self.crew.submit(job.without_refusal())
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        let (_dropped, _running) = self.crew.close();
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool")
            .field("name", &self.crew.name())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

//! The handle that owns a pool for work that computes.

use std::fmt;
use std::time::Duration;

use crate::executor::Executor;
use crate::job::Job;
use crate::pool::{PoolHandle, PoolStats, ShutdownReport, ThreadPool};

use super::builder::CpuPoolBuilder;

/// A pool with a thread for each core, for jobs that compute.
///
/// More threads than cores would make every job slower, so the pool has as many as this process may
/// run at a time, whatever the machine has: the affinity mask and the cgroup's quota count. Threads
/// are started as jobs come, and leave again when they have been idle for their keep-alive: a pool
/// without work has no thread and wakes nobody up.
///
/// Jobs that block belong on a [`ThreadPool`], which has threads to spare. A job may offload more jobs
/// through a [`handle`](Self::handle). To split one computation up, call [`scope`](crate::scope()) in a job,
/// and [`map_on`](crate::map_on) for many items: both put far less through the pool's queue than a job for
/// each part.
///
/// Dropping the pool does not wait: jobs that run end in the background and their results still
/// come home, queued jobs are rejected. [`shutdown`](Self::shutdown) waits, with a bound.
///
/// # Examples
///
/// ```
/// use ringloop_offload::{CpuPool, offload_on};
/// use std::time::Duration;
///
/// let pool = CpuPool::new();
/// let offload = offload_on(&pool, || (1..=1000).sum::<u64>());
/// // ... await `offload` ...
/// # drop(offload);
/// assert_eq!(pool.shutdown(Duration::from_secs(5)).detached, 0);
/// ```
#[doc(alias = "ProcessPoolExecutor")]
#[must_use = "dropping the pool rejects what it has not started"]
pub struct CpuPool {
    pool: ThreadPool,
}

impl CpuPool {
    /// Makes a pool with as many threads as this process may use at a time.
    ///
    /// As `std::thread::available_parallelism`, which looks at affinity and cgroup quota; 1 if
    /// even that is unknown.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Makes a pool of at most `threads` threads.
    ///
    /// # Panics
    ///
    /// If `threads` is 0.
    #[track_caller]
    pub fn with_threads(threads: usize) -> Self {
        Self::builder().threads(threads).build()
    }

    /// Returns a builder with the defaults of [`new`](Self::new).
    pub fn builder() -> CpuPoolBuilder {
        CpuPoolBuilder::new()
    }

    pub(super) fn over(pool: ThreadPool) -> Self {
        Self { pool }
    }

    /// Returns a handle for those who use the pool without owning it, such as its own jobs.
    pub fn handle(&self) -> PoolHandle {
        self.pool.handle()
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
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    pub fn shutdown(&self, timeout: Duration) -> ShutdownReport {
        self.pool.shutdown(timeout)
    }

    /// Returns a snapshot of the pool.
    pub fn stats(&self) -> PoolStats {
        self.pool.stats()
    }
}

impl Default for CpuPool {
    fn default() -> Self {
        Self::new()
    }
}

impl Executor for CpuPool {
    /// Takes a job, unless the pool is shut down, or has no thread and cannot start one.
    ///
    /// The refusal carries a [`PoolError`](crate::PoolError).
    fn execute(&self, job: Job) -> Result<(), Job> {
        self.pool.execute(job)
    }
}

impl fmt::Debug for CpuPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CpuPool")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

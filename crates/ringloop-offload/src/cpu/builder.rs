//! The knobs of a pool for work that computes.

use std::num::NonZero;
use std::thread;
use std::time::Duration;

use crate::pool::{PoolBuilder, Stall, ThreadPool};

use super::cpu_pool::CpuPool;

/// Builds a [`CpuPool`].
///
/// # Examples
///
/// ```
/// use ringloop_offload::CpuPool;
/// use std::time::Duration;
///
/// let pool = CpuPool::builder()
///     .name("thumbnails")
///     .threads(2)
///     .keep_alive(Duration::from_secs(1))
///     .build();
/// assert_eq!(pool.stats().threads_max, 2);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct CpuPoolBuilder {
    pool: PoolBuilder,
}

impl CpuPoolBuilder {
    /// Starts from the defaults of [`CpuPool::new`].
    pub(super) fn new() -> Self {
        Self {
            pool: ThreadPool::builder().name("cpu").max_threads(cores()),
        }
    }

    /// Names the threads: `name-0`, `name-1` and so on. Default: `cpu`.
    ///
    /// The kernel shows the first 15 bytes.
    ///
    /// # Panics
    ///
    /// If the name contains a null byte.
    #[track_caller]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.pool = self.pool.name(name);
        self
    }

    /// Sets the most threads that may exist at a time. Default: as many as this process may use.
    ///
    /// # Panics
    ///
    /// If `threads` is 0.
    #[track_caller]
    pub fn threads(mut self, threads: usize) -> Self {
        self.pool = self.pool.max_threads(threads);
        self
    }

    /// Sets how long a thread without work stays. Default: 10 seconds.
    ///
    /// With `Duration::MAX` it stays as long as the pool.
    pub fn keep_alive(mut self, keep_alive: Duration) -> Self {
        self.pool = self.pool.keep_alive(keep_alive);
        self
    }

    /// Sets the size of the threads' stacks. Default: as `std::thread`, 2 MiB.
    pub fn stack_size(mut self, stack_size_bytes: usize) -> Self {
        self.pool = self.pool.stack_size(stack_size_bytes);
        self
    }

    /// Sets who is told when a job waits for a thread for `bound` and longer. Default: nobody.
    ///
    /// As [`PoolBuilder::on_stall`].
    pub fn on_stall(
        mut self,
        bound: Duration,
        hook: impl Fn(&Stall) + Send + Sync + 'static,
    ) -> Self {
        self.pool = self.pool.on_stall(bound, hook);
        self
    }

    /// Makes the pool. It starts no thread before there is a job for it.
    pub fn build(self) -> CpuPool {
        CpuPool::over(self.pool.build())
    }
}

/// How many threads of this process can run at a time.
///
/// The affinity mask and the cgroup's quota are looked at; where even that fails, one is safe.
fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

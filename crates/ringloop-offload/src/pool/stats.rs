//! What a pool tells about itself: plain data.

/// A snapshot of a [`ThreadPool`](crate::ThreadPool).
///
/// # Examples
///
/// ```
/// use ringloop_offload::PoolStats;
///
/// /// Whether a job would have to wait.
/// fn is_saturated(stats: &PoolStats) -> bool {
///     stats.idle == 0 && stats.threads == stats.threads_max
/// }
///
/// assert!(!is_saturated(&ringloop_offload::ThreadPool::blocking().stats()));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Worker threads that exist.
    pub threads: usize,
    /// The most worker threads that may exist.
    pub threads_max: usize,
    /// Worker threads that wait for a job.
    pub idle: usize,
    /// Jobs that are being run.
    pub running: usize,
    /// Jobs that wait for a worker, with some that were cancelled and are not swept out yet.
    pub queued: usize,
    /// Jobs taken since the pool was built.
    pub accepted: u64,
    /// Jobs run to their end since the pool was built; a panic is an end.
    pub ended: u64,
    /// Times that the system would not start a thread.
    pub start_failures: u64,
}

/// What [`ThreadPool::shutdown`](crate::ThreadPool::shutdown) found and left.
///
/// # Examples
///
/// ```
/// use ringloop_offload::ThreadPool;
/// use std::time::Duration;
///
/// let report = ThreadPool::blocking().shutdown(Duration::from_secs(1));
/// assert!(report.is_clean());
/// assert_eq!(report.finished, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Jobs that were running and ended in time.
    pub finished: usize,
    /// Jobs that are still running. Their threads leave when they end.
    pub detached: usize,
    /// Jobs that were queued and never run. Their waiters have been told.
    pub dropped: usize,
}

impl ShutdownReport {
    /// Returns whether nothing was lost: no job is still running, none was dropped.
    pub fn is_clean(&self) -> bool {
        self.detached == 0 && self.dropped == 0
    }
}

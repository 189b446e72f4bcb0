//! What a pool tells about itself: plain data.

use super::histogram::Histogram;

/// A snapshot of a [`ThreadPool`](crate::ThreadPool).
///
/// Each job ends up in one of the counts: `accepted` is what was taken; of that, `ended` were run,
/// and `queued` and `running` will be; what is missing was cancelled before a thread came to it, run
/// by the job that [waited](crate::Offload::wait) for it, as a part of that one, or dropped when the
/// pool was closed.
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// Of the `ended`: jobs whose closure returned and whose waiter was there to hear of it.
    pub completed: u64,
    /// Of the `ended`: jobs whose closure panicked, whether or not somebody waited.
    pub panicked: u64,
    /// Of the `ended`: jobs that returned and for whose result nobody waited any more.
    pub abandoned: u64,
    /// Jobs that were not taken: the pool was full, closed, or had no thread. Jobs that were
    /// dropped from the queue when the pool was closed count here, too.
    pub rejected: u64,
    /// Times that the system would not start a thread.
    pub start_failures: u64,
    /// How long jobs waited in the queue for a thread.
    pub wait_times: Histogram,
    /// How long jobs ran.
    pub run_times: Histogram,
}

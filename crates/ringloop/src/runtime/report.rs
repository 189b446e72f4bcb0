//! What a runtime tells about itself: plain data.

use std::fmt;

use ringloop_offload::{PoolStats, RunningJob};
use ringloop_proactor::ProactorStats;
use ringloop_task::SchedulerStats;

/// What a [`Runtime`](super::Runtime) has done so far, layer by layer.
///
/// # Examples
///
/// ```
/// let mut runtime = ringloop::Runtime::new()?;
/// runtime.block_on(async { ringloop::offload(|| ()).await })?;
/// let stats = runtime.stats();
/// assert_eq!(stats.blocking.accepted, 1);
/// assert_eq!(stats.cpu.accepted, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuntimeStats {
    /// The scheduler's counters.
    pub tasks: SchedulerStats,
    /// The proactor's counters.
    pub proactor: ProactorStats,
    /// Those of the pool of [`offload()`](crate::offload()).
    pub blocking: PoolStats,
    /// Those of the pool of [`cpu`](crate::offload::cpu).
    pub cpu: PoolStats,
}

/// What had to be ended with a [`Runtime`](super::Runtime), and what could not be.
///
/// Its `Display` is for a log: one line, and one more for each job that still runs.
///
/// # Examples
///
/// ```
/// let report = ringloop::Runtime::new()?.shutdown();
/// assert!(report.is_clean());
/// assert_eq!(
///     report.to_string(),
///     "tasks: 0 cancelled, 0 aborted, 0 panicked; jobs: 0 finished, 0 dropped, 0 still running"
/// );
/// # Ok::<(), ringloop::SetupError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Tasks that were asked to cancel and ended in time.
    pub cancelled: usize,
    /// Tasks that were dropped before their end.
    pub aborted: usize,
    /// Panics meanwhile that nobody will read, of tasks, calls and drops.
    pub panicked: usize,
    /// Offloaded work that was running when the tasks had ended, and ended in time.
    pub jobs_finished: usize,
    /// Offloaded work that was queued then, and never runs.
    pub jobs_dropped: usize,
    /// Offloaded work that still runs. Its threads leave when it ends, and nobody hears of it. The
    /// hook of [`on_unhandled`](super::Builder::on_unhandled) was told of each, and without a hook
    /// the standard error.
    pub still_running: Vec<RunningJob>,
}

impl ShutdownReport {
    /// Returns whether everything ended by itself or when it was asked to: nothing was dropped,
    /// nothing panicked, nothing still runs.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let lost = self.aborted + self.panicked + self.jobs_dropped;
        lost == 0 && self.still_running.is_empty()
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "tasks: {} cancelled, {} aborted, {} panicked; jobs: {} finished, {} dropped, {} still running",
            self.cancelled,
            self.aborted,
            self.panicked,
            self.jobs_finished,
            self.jobs_dropped,
            self.still_running.len(),
        )?;
        let mut jobs = self.still_running.iter();
        jobs.try_for_each(|job| write!(f, "\n  {job}"))
    }
}

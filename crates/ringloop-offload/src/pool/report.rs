//! What a shutdown left behind.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

/// What [`ThreadPool::shutdown`](crate::ThreadPool::shutdown) found and left.
///
/// Its `Display` is for a log: one line, and one more for each job that still runs.
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
/// assert_eq!(report.to_string(), "0 jobs finished, 0 dropped, none still running");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Jobs that were running and ended in time.
    pub finished: usize,
    /// Jobs that are still running. Their threads leave when they end.
    pub detached: usize,
    /// Jobs that were queued and never run. Their waiters have been told.
    pub dropped: usize,
    /// The jobs that are still running, the oldest first.
    pub still_running: Vec<RunningJob>,
}

impl ShutdownReport {
    /// Returns whether nothing was lost: no job is still running, none was dropped.
    pub fn is_clean(&self) -> bool {
        self.detached == 0 && self.dropped == 0
    }
}

impl fmt::Display for ShutdownReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jobs = if self.finished == 1 { "job" } else { "jobs" };
        write!(
            f,
            "{} {jobs} finished, {} dropped, ",
            self.finished, self.dropped
        )?;
        match self.detached {
            0 => f.write_str("none still running"),
            detached => {
                write!(f, "{detached} still running:")?;
                let mut lines = self.still_running.iter();
                lines.try_for_each(|job| write!(f, "\n  {job}"))
            }
        }
    }
}

/// A job that a pool runs at the moment of a report.
///
/// # Examples
///
/// ```
/// use ringloop_offload::{ThreadPool, offload_on};
/// use std::sync::mpsc;
/// use std::time::Duration;
///
/// let pool = ThreadPool::fixed(1);
/// let (started, has_started) = mpsc::channel();
/// let (release, released) = mpsc::channel::<()>();
/// let offload = offload_on(&pool, move || {
///     started.send(()).unwrap();
///     released.recv()
/// });
/// has_started.recv().unwrap();
/// let report = pool.shutdown(Duration::ZERO);
/// assert_eq!(report.detached, 1);
/// assert_eq!(report.still_running[0].location, offload.location());
/// assert_eq!(report.still_running[0].thread, "cpu-0");
/// # drop(release);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunningJob {
    /// The job's name, if it has one.
    pub name: Option<String>,
    /// Where the job was offloaded.
    pub location: &'static Location<'static>,
    /// The name of the thread that runs it.
    pub thread: String,
    /// How long it has been running.
    pub running_for: Duration,
}

impl fmt::Display for RunningJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "`{name}`, ")?;
        }
        write!(
            f,
            "offloaded at {}, running on {} for {:.1?}",
            self.location, self.thread, self.running_for
        )
    }
}

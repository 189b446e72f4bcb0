//! What a pool says about a job that waits too long for a thread.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use super::report::RunningJob;

/// A job that has waited longer than the bound of [`PoolBuilder::on_stall`] for a thread.
///
/// Its `Display` has the format that [`PoolBuilder::debug`] writes to stderr: one line about the
/// job that waits, one for each job that runs, and a last one for a deadlock.
///
/// ```text
/// pool `offload`: a job offloaded at src/main.rs:9:5 by the job of src/main.rs:7:17, has waited 1.0s, 1 thread is busy:
///   offloaded at src/main.rs:7:17, running on offload-0 for 1.0s
/// deadlock: each running job has offloaded one that waits in this queue
/// ```
///
/// [`PoolBuilder::on_stall`]: crate::PoolBuilder::on_stall
/// [`PoolBuilder::debug`]: crate::PoolBuilder::debug
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stall {
    /// The name of the pool.
    pub pool: String,
    /// How long the job has waited.
    pub waited: Duration,
    /// The job that has waited longest.
    pub queued: QueuedJob,
    /// The jobs that the threads run instead, the oldest first.
    pub running: Vec<RunningJob>,
    /// Whether each of the running jobs has offloaded one that waits in this queue, or waits for
    /// one that does: if they block on them, none of them goes on.
    ///
    /// A job that waits with [`Offload::wait`](crate::Offload::wait) runs the other one itself and
    /// is never part of a deadlock. One that waits by other means cannot be told from one that only
    /// computes for long: whether it waits is known to itself alone.
    pub is_deadlock: bool,
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pool, waited, .. } = self;
        let busy = match self.running.len() {
            1 => "1 thread is busy",
            _ => "all threads are busy",
        };
        write!(
            f,
            "pool `{pool}`: {} has waited {waited:.1?}, {busy}:",
            self.queued
        )?;
        for job in &self.running {
            write!(f, "\n  {job}")?;
        }
        if self.is_deadlock {
            f.write_str("\ndeadlock: each running job has offloaded one that waits in this queue")?;
        }
        Ok(())
    }
}

/// A job that waits in the queue of a pool at the moment of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueuedJob {
    /// The job's name, if it has one.
    pub name: Option<String>,
    /// Where the job was offloaded.
    pub location: &'static Location<'static>,
    /// Where the job was offloaded that has offloaded this one, if a job has.
    pub parent: Option<&'static Location<'static>>,
}

impl fmt::Display for QueuedJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "job `{name}`, offloaded at {}", self.location)?,
            None => write!(f, "a job offloaded at {}", self.location)?,
        }
        match self.parent {
            Some(parent) => write!(f, " by the job of {parent},"),
            None => Ok(()),
        }
    }
}

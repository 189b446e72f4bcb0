//! The pools of rayon as executors, for programs that have one anyway.
//!
//! Jobs go in by `spawn_fifo`, so that those offloaded by one worker run in their order. A pool that
//! is dropped runs what it has taken before its threads leave: rayon counts spawned work.

use crate::contain::{catch, drop_quietly};
use crate::executor::Executor;
use crate::job::Job;

/// Runs jobs between the pool's other work.
///
/// Only what computes belongs there: a job that blocks keeps a core from rayon. What a job awaits
/// by blocking (`Offload` of the same pool, a lock) may deadlock, as anything may that blocks in
/// rayon.
///
/// # Examples
///
/// ```
/// use ringloop_offload::offload_on;
/// use std::sync::mpsc;
///
/// let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
/// let (sender, receiver) = mpsc::channel();
/// let offload = offload_on(&pool, move || {
///     let (left, right) = rayon::join(|| 40, || 2);
///     sender.send(left + right)
/// });
/// assert_eq!(receiver.recv(), Ok(42));
/// # drop(offload);
/// # Ok::<(), rayon::ThreadPoolBuildError>(())
/// ```
impl Executor for rayon::ThreadPool {
    /// Takes every job.
    fn execute(&self, job: Job) -> Result<(), Job> {
        self.spawn_fifo(move || job.without_refusal().run());
        Ok(())
    }
}

/// The global pool of rayon; on a thread of another pool of rayon, that pool.
///
/// It is started by the first job, if it does not run yet.
///
/// # Examples
///
/// ```
/// use ringloop_offload::{Rayon, offload_on};
/// use std::sync::mpsc;
///
/// let (sender, receiver) = mpsc::channel();
/// let offload = offload_on(&Rayon, move || sender.send(rayon::current_thread_index().is_some()));
/// assert_eq!(receiver.recv(), Ok(true));
/// # drop(offload);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "a name for what exists once")]
pub struct Rayon;

impl Executor for Rayon {
    /// Takes the job, unless the global pool cannot be started.
    fn execute(&self, job: Job) -> Result<(), Job> {
        // Rayon panics if it has no threads; asked beforehand, the job is still here.
        if let Err(payload) = catch(rayon::current_num_threads) {
            drop_quietly(payload);
            return Err(job.refused("the global pool of rayon could not be started"));
        }
        rayon::spawn_fifo(move || job.without_refusal().run());
        Ok(())
    }
}

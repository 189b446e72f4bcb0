//! Where offloaded work runs: the seam between a job and the threads that run it.

use std::sync::Arc;

use crate::job::Job;

/// Runs jobs somewhere else: a thread pool, another library's pool, one dedicated thread.
///
/// Counterpart: `concurrent.futures.Executor` of Python, as used by `loop.run_in_executor`.
///
/// An implementation owes three things:
///
/// - `execute` returns soon: it is called on a thread that runs an event loop. Work that does not
///   fit waits in the executor's queue, not in `execute`.
/// - A job that it cannot take is given back, so that its waiter hears of it at once and the
///   caller may try another executor.
/// - A job that it took is [run](Job::run) once, or dropped. Neither can hang the waiter: the end
///   of a job, either end, completes its [`Offload`](crate::Offload).
///
/// # Examples
///
/// ```
/// use ringloop_offload::{Executor, Job};
///
/// /// One thread per job.
/// struct Threads;
///
/// impl Executor for Threads {
///     fn execute(&self, job: Job) -> Result<(), Job> {
///         std::thread::spawn(move || job.run());
///         Ok(())
///     }
/// }
/// ```
pub trait Executor: Send + Sync {
    /// Takes a job to run it elsewhere, later.
    ///
    /// # Errors
    ///
    /// The job itself, not started, if it cannot be taken. [`Job::refused`] attaches a reason, which
    /// the waiter then finds as the source of its [`OffloadError`](crate::OffloadError).
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    fn execute(&self, job: Job) -> Result<(), Job>;
}

impl<E: Executor + ?Sized> Executor for &E {
    fn execute(&self, job: Job) -> Result<(), Job> {
        (**self).execute(job)
    }
}

impl<E: Executor + ?Sized> Executor for Box<E> {
    fn execute(&self, job: Job) -> Result<(), Job> {
        (**self).execute(job)
    }
}

impl<E: Executor + ?Sized> Executor for Arc<E> {
    fn execute(&self, job: Job) -> Result<(), Job> {
        (**self).execute(job)
    }
}

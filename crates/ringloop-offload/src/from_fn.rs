//! A closure as an executor: the shortest way to somebody else's threads.

use std::any;
use std::fmt;

use crate::executor::Executor;
use crate::job::Job;

/// Makes an executor out of a closure that takes a job, or gives it back.
///
/// The closure owes what [`Executor`] asks for: it returns soon, and runs, drops or returns each
/// job. A type of one's own with an `impl Executor` does the same.
///
/// # Examples
///
/// A thread per job:
///
/// ```
/// use ringloop_offload::{from_fn, offload_on};
/// use std::sync::mpsc;
///
/// let threads = from_fn(|job| {
///     std::thread::spawn(move || job.run());
///     Ok(())
/// });
/// let (sender, receiver) = mpsc::channel();
/// let offload = offload_on(&threads, move || sender.send("done"));
/// assert_eq!(receiver.recv(), Ok("done"));
/// # drop(offload);
/// ```
///
/// A queue that somebody else empties, and that may be closed:
///
/// ```
/// use ringloop_offload::{Job, from_fn, offload_on};
/// use std::sync::mpsc;
///
/// let (sender, jobs) = mpsc::channel::<Job>();
/// let queue = from_fn(move |job| sender.send(job).map_err(|unsent| unsent.0));
/// let first = offload_on(&queue, || 6 * 7);
/// jobs.recv()?.run();
/// drop(jobs);
/// let second = offload_on(&queue, || unreachable!("it is rejected"));
/// assert!(!second.is_queued());
/// # drop((first, second));
/// # Ok::<(), mpsc::RecvError>(())
/// ```
pub fn from_fn<F>(f: F) -> FromFn<F>
where
    F: Fn(Job) -> Result<(), Job> + Send + Sync,
{
    FromFn { f }
}

/// An executor that calls a closure. Made by [`from_fn`].
#[derive(Clone, Copy)]
pub struct FromFn<F> {
    f: F,
}

impl<F> Executor for FromFn<F>
where
    F: Fn(Job) -> Result<(), Job> + Send + Sync,
{
    fn execute(&self, job: Job) -> Result<(), Job> {
        (self.f)(job)
    }
}

impl<F> fmt::Debug for FromFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FromFn")
            .field(&format_args!("{}", any::type_name::<F>()))
            .finish()
    }
}

//! A way into a pool that does not own it.

use std::fmt;
use std::sync::Arc;

use crate::executor::Executor;
use crate::job::Job;

use super::crew::Crew;
use super::stats::PoolStats;

/// Hands jobs to a [`ThreadPool`](crate::ThreadPool) or [`CpuPool`](crate::CpuPool) that somebody else
/// owns.
///
/// A handle is cheap to clone and may go anywhere: into a job that offloads more, or into an
/// executor that stands on the pool. It does not keep the pool open: once the pool is shut down or
/// dropped, the handle's jobs are refused with [`PoolError::Closed`](crate::PoolError::Closed).
///
/// # Examples
///
/// A job that offloads another one, and does not wait for it:
///
/// ```
/// use ringloop_offload::{ThreadPool, offload_on};
/// use std::sync::mpsc;
///
/// let pool = ThreadPool::blocking();
/// let handle = pool.handle();
/// let (sender, receiver) = mpsc::channel();
/// let outer = offload_on(&pool, move || {
///     offload_on(&handle, move || sender.send("from the inner job"))
/// });
/// # let mut outer = std::pin::pin!(outer);
/// # let waker = std::task::Waker::noop();
/// # let inner = loop {
/// #     let mut cx = std::task::Context::from_waker(waker);
/// #     match outer.as_mut().poll(&mut cx) {
/// #         std::task::Poll::Ready(inner) => break inner.unwrap(),
/// #         std::task::Poll::Pending => std::thread::yield_now(),
/// #     }
/// # };
/// assert_eq!(receiver.recv().unwrap(), "from the inner job");
/// # drop(inner);
/// ```
#[derive(Clone)]
pub struct PoolHandle {
    crew: Arc<Crew>,
}

impl PoolHandle {
    pub(super) fn new(crew: Arc<Crew>) -> Self {
        Self { crew }
    }

    /// Returns a snapshot of the pool.
    pub fn stats(&self) -> PoolStats {
        self.crew.stats()
    }
}

impl Executor for PoolHandle {
    /// Takes a job, unless the pool is shut down, is full, or has no thread and cannot start one.
    ///
    /// The refusal carries a [`PoolError`](crate::PoolError).
    fn execute(&self, job: Job) -> Result<(), Job> {
        self.crew.submit(job.without_refusal())
    }
}

impl fmt::Debug for PoolHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolHandle")
            .field("name", &self.crew.name())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

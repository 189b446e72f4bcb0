//! The wait of a thread that has no event loop.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ringloop_core::block_on;

use crate::error::OffloadError;
use crate::job;
use crate::offload::Offload;

impl<T> Offload<T> {
    /// Blocks this thread until the job has ended, and returns its result.
    ///
    /// For threads that may block: `main` without a runtime, and jobs that need the result of another
    /// job. On the thread of an event loop it would stop the loop, so await the future there.
    ///
    /// A job may wait for a job of the same pool: if that one is still queued, it is run here and
    /// now, out of turn, on the thread of the job that waits. So jobs that offload and wait for
    /// each other do not run out of threads. A job of another pool or of an executor of one's own
    /// runs where it belongs, and this thread sleeps.
    ///
    /// A job that runs here runs in the middle of the one that waits: it finds the thread-local values
    /// of that one as they are, and does not get past a lock that it holds. So hold no lock and no
    /// borrow of a thread-local `RefCell` here that the other job may want.
    ///
    /// The thread sleeps even if the job is cancelled meanwhile and runs on: as when awaited, its
    /// result is waited for.
    ///
    /// Counterpart: `concurrent.futures.Future.result` of Python.
    ///
    /// # Errors
    ///
    /// As awaiting it.
    ///
    /// # Panics
    ///
    /// If it was polled before, and completed.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_offload::{ThreadPool, offload_on};
    /// use std::sync::Arc;
    ///
    /// let pool = Arc::new(ThreadPool::fixed(1));
    /// let inner = Arc::clone(&pool);
    /// let answer = offload_on(&pool, move || {
    ///     // The only thread of the pool is this one.
    ///     offload_on(&inner, || 6 * 7).wait()
    /// });
    /// assert_eq!(answer.wait()??, 42);
    /// # Ok::<(), ringloop_offload::OffloadError>(())
    /// ```
    #[doc(alias = "join")]
    #[doc(alias = "result")]
    pub fn wait(mut self) -> Result<T, OffloadError> {
        if self.waiter().may_run_here() {
            self.waiter().run_here();
        }
        match self.block(None) {
            Some(result) => result,
            None => unreachable!("without a timeout it waits for the result"),
        }
    }

    /// Blocks this thread until the job has ended, or `timeout` has passed.
    ///
    /// It does not run the job itself, as [`wait`](Self::wait) does: it could not keep to the
    /// timeout.
    ///
    /// Counterpart: `concurrent.futures.Future.result(timeout)` of Python.
    ///
    /// # Errors
    ///
    /// The future itself, if the job has not ended. The job is not cancelled, so that it can be
    /// waited for again; dropping it does that.
    ///
    /// # Panics
    ///
    /// If it was polled before, and completed.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_offload::{ThreadPool, offload_on};
    /// use std::sync::mpsc;
    /// use std::time::Duration;
    ///
    /// let pool = ThreadPool::fixed(1);
    /// let (sender, receiver) = mpsc::channel();
    /// let offload = offload_on(&pool, move || receiver.recv());
    /// let offload = offload.wait_timeout(Duration::from_millis(1)).unwrap_err();
    /// sender.send(7).unwrap();
    /// assert_eq!(offload.wait()?, Ok(7));
    /// # Ok::<(), ringloop_offload::OffloadError>(())
    /// ```
    pub fn wait_timeout(mut self, timeout: Duration) -> Result<Result<T, OffloadError>, Self> {
        self.block(Some(timeout)).ok_or(self)
    }

    fn block(&mut self, timeout: Option<Duration>) -> Option<Result<T, OffloadError>> {
        if let Poll::Ready(result) = self.poll_with(Waker::noop()) {
            return Some(result);
        }
        let _blocked = job::block_for(self.waiter().id());
        block_on(timeout, |cx| self.poll_with(cx.waker()))
    }

    fn poll_with(&mut self, waker: &Waker) -> Poll<Result<T, OffloadError>> {
        Pin::new(self).poll(&mut Context::from_waker(waker))
    }
}

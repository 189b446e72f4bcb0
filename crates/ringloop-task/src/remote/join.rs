//! The output of a task, on its way to another thread.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};

use pin_project_lite::pin_project;
use ringloop_core::{RemotePostbox, RemoteSetter, block_on, remote_postbox};

use crate::task::{self, JoinError, TaskId};

/// Runs the future that `make` makes and sends its output. A panic that cannot be sent goes on.
pub(super) async fn deliver<M, F>(make: M, setter: RemoteSetter<Result<F::Output, JoinError>>)
where
    M: FnOnce() -> F,
    F: Future,
    F::Output: Send,
{
    let future = CatchUnwind {
        future: async move { make().await },
    };
    let id = task::current().map(|task| task.id());
    let outcome = match future.await {
        Ok(output) => Ok(output),
        Err(payload) => Err(JoinError::panicked(id, payload)),
    };
    if let Err(Err(unread)) = setter.set(outcome)
        && let Ok(payload) = unread.into_panic()
    {
        resume_unwind(payload);
    }
}

pin_project! {
    /// Turns a panic of the future into a value.
    struct CatchUnwind<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for CatchUnwind<F> {
    type Output = thread::Result<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.project().future;
        match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(payload) => Poll::Ready(Err(payload)),
        }
    }
}

/// Awaits the output of a task on another thread's scheduler; see
/// [`Remote::spawn`](crate::Remote::spawn).
///
/// It may be awaited anywhere, also outside of this crate's loops; [`wait`](Self::wait) is for
/// threads that await nothing. Counterpart: the future of `asyncio.run_coroutine_threadsafe`.
///
/// # Cancel safety
///
/// Cancel safe: dropped before it completes, it had no effect. The task runs on.
#[must_use = "futures do nothing unless awaited"]
pub struct RemoteJoin<T> {
    postbox: RemotePostbox<Result<T, JoinError>>,
    /// The thread that the task runs on.
    home: ThreadId,
}

/// Makes what waits for a task of a loop on the thread `home`, and what the task [delivers](deliver)
/// its output with.
pub(super) fn pair<T: Send>(home: ThreadId) -> (RemoteSetter<Result<T, JoinError>>, RemoteJoin<T>) {
    let (setter, postbox) = remote_postbox();
    (setter, RemoteJoin { postbox, home })
}

impl<T> RemoteJoin<T> {
    /// Blocks this thread until the task has ended, and returns its output. Counterpart:
    /// `concurrent.futures.Future.result`.
    ///
    /// It takes as long as the task, and as long as the task's loop is not run. On the thread of
    /// another loop it holds up that loop.
    ///
    /// # Errors
    ///
    /// As awaiting it: the task panicked, or its scheduler has gone.
    ///
    /// # Panics
    ///
    /// On the thread of the task's loop, if the task has not ended: it never would.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::{Scheduler, time};
    /// use std::time::Duration;
    ///
    /// let mut scheduler = Scheduler::new(ThreadDriver::new());
    /// let remote = scheduler.remote();
    /// let thread = std::thread::spawn(move || {
    ///     let answer = remote.spawn(|| async { 42 }).expect("the scheduler is there");
    ///     let answer = answer.wait();
    ///     remote.stop().expect("the scheduler is there");
    ///     answer
    /// });
    /// scheduler.block_on(time::sleep(Duration::MAX)).unwrap_err();
    /// assert_eq!(thread.join().unwrap().unwrap(), 42);
    /// ```
    #[doc(alias = "result")]
    #[track_caller]
    pub fn wait(mut self) -> Result<T, JoinError> {
        let mut look = |waker: &Waker| Pin::new(&mut self).poll(&mut Context::from_waker(waker));
        if let Poll::Ready(outcome) = look(Waker::noop()) {
            return outcome;
        }
        assert_elsewhere(self.home);
        let outcome = block_on(None, |cx| Pin::new(&mut self).poll(cx));
        outcome.expect("a wait without a timeout ends with what it waits for")
    }
}

/// Panics on the thread of the loop that would have to be waited for.
#[track_caller]
pub(super) fn assert_elsewhere(home: ThreadId) {
    assert!(
        thread::current().id() != home,
        "this would wait for ever: the task that it waits for runs on this same thread; await the \
         task instead, or wait on another thread"
    );
}

impl<T> Future for RemoteJoin<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.postbox)
            .poll(cx)
            .map(|delivery| match delivery {
                Ok(outcome) => outcome,
                Err(_) => Err(JoinError::gone(None::<TaskId>)),
            })
    }
}

impl<T> fmt::Debug for RemoteJoin<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteJoin").finish_non_exhaustive()
    }
}

//! The way to a scheduler from other threads.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use ringloop_core::{RemotePostbox, RemoteSetter, remote_postbox};

use crate::context;
use crate::gate::Gate;
use crate::home::Home;
use crate::task::{self, JoinError, TaskId, TaskRef, TaskSnapshot};

/// The way to a scheduler from other threads: `Send`, `Sync`, cheap to clone.
///
/// It does not keep the scheduler alive. Counterpart: `loop.call_soon_threadsafe`,
/// `asyncio.run_coroutine_threadsafe`.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, cancel::CancelToken};
///
/// let mut scheduler = Scheduler::new(ThreadDriver::new());
/// let remote = scheduler.remote();
/// let done = CancelToken::new();
/// let thread = std::thread::spawn({
///     let done = done.clone();
///     move || remote.call_soon(move || drop(done.cancel("called")))
/// });
/// let reason = scheduler.block_on(done.cancelled())?;
/// assert_eq!(reason.text(), "called");
/// # thread.join().unwrap().unwrap();
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
#[derive(Clone)]
pub struct Remote {
    gate: Weak<Gate>,
}

impl Remote {
    pub(crate) fn new(gate: &Arc<Gate>) -> Self {
        Self {
            gate: Arc::downgrade(gate),
        }
    }

    /// Calls `f` on the scheduler's thread, inside its loop and outside of any task, in the order
    /// of these calls. Counterpart: `loop.call_soon_threadsafe`.
    ///
    /// # Errors
    ///
    /// `Closed` if the scheduler has shut down. `f` is dropped, here or there, if it never runs.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "call_soon_threadsafe")]
    pub fn call_soon(&self, f: impl FnOnce() + Send + 'static) -> Result<(), Closed> {
        let gate = self.gate.upgrade().ok_or_else(Closed::new)?;
        gate.post(Box::new(f))
    }

    /// Starts a task on the scheduler's thread. `make` runs there, so the future it makes need not
    /// be `Send`. Dropping the returned future detaches the task. Counterpart:
    /// `asyncio.run_coroutine_threadsafe`.
    ///
    /// # Errors
    ///
    /// `Closed` if the scheduler has shut down.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::Scheduler;
    ///
    /// let mut there = Scheduler::new(ThreadDriver::new());
    /// let remote = there.remote();
    /// let thread = std::thread::spawn(move || {
    ///     let answer = remote.spawn(|| async { 42 }).expect("the scheduler is there");
    ///     let answer = Scheduler::new(ThreadDriver::new()).block_on(answer);
    ///     remote.stop().expect("the scheduler is there");
    ///     answer
    /// });
    /// there.block_on(ringloop_task::time::sleep(std::time::Duration::MAX)).unwrap_err();
    /// assert_eq!(thread.join().unwrap().unwrap(), 42);
    /// ```
    #[doc(alias = "run_coroutine_threadsafe")]
    #[track_caller]
    pub fn spawn<M, F>(&self, make: M) -> Result<RemoteJoin<F::Output>, Closed>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        let at = Location::caller();
        let (setter, postbox) = remote_postbox();
        self.call_soon(move || {
            let caught = CatchUnwind {
                future: async move { make().await },
            };
            drop(task::spawn_at(at, None, deliver(caught, setter)));
        })?;
        Ok(RemoteJoin { postbox })
    }

    /// Asks the main task to end: that of the `block_on` that runs, or of the next one. The request
    /// is a cancellation with a reason of the kind `Shutdown`. A host that drives the scheduler by
    /// [turns](crate::Scheduler::turn) is told in the next one. Counterpart: `loop.stop`.
    ///
    /// # Errors
    ///
    /// `Closed` if the scheduler has shut down.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn stop(&self) -> Result<(), Closed> {
        self.call_soon(|| {
            context::with_home(Home::stop);
        })
    }

    /// Asks for a picture of all tasks that have not ended, in spawn order. It is taken on the
    /// scheduler's thread between two polls, so a poll that does not return keeps it waiting.
    /// Counterpart: `asyncio.all_tasks(loop)`.
    ///
    /// # Errors
    ///
    /// `Closed` if the scheduler has shut down.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::{Scheduler, task, time};
    ///
    /// let mut there = Scheduler::new(ThreadDriver::new());
    /// let remote = there.remote();
    /// let thread = std::thread::spawn(move || {
    ///     let tasks = remote.tasks().expect("the scheduler is there");
    ///     let tasks = Scheduler::new(ThreadDriver::new()).block_on(tasks);
    ///     remote.stop().expect("the scheduler is there");
    ///     tasks
    /// });
    /// there.block_on(time::sleep(std::time::Duration::MAX)).unwrap_err();
    /// let tasks = thread.join().unwrap()?;
    /// assert_ne!(tasks[0].state, task::TaskState::Running);
    /// # Ok::<(), ringloop_task::Closed>(())
    /// ```
    #[doc(alias = "all_tasks")]
    pub fn tasks(&self) -> Result<RemoteTasks, Closed> {
        let (setter, postbox) = remote_postbox();
        self.call_soon(move || {
            let tasks = task::all_tasks();
            // Nobody may want it any more.
            drop(setter.set(tasks.iter().map(TaskRef::snapshot).collect()));
        })?;
        Ok(RemoteTasks { postbox })
    }

    /// Returns whether the scheduler has shut down.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.gate.upgrade().is_none_or(|gate| gate.is_closed())
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("is_closed", &self.is_closed())
            .finish()
    }
}

/// Runs the future and sends its output. A panic that cannot be sent goes on.
async fn deliver<F: Future>(
    future: CatchUnwind<F>,
    setter: RemoteSetter<Result<F::Output, JoinError>>,
) {
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
    type Output = std::thread::Result<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let future = self.project().future;
        match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(payload) => Poll::Ready(Err(payload)),
        }
    }
}

/// Awaits the output of a task on another thread's scheduler; see [`Remote::spawn`].
///
/// It may be awaited anywhere, also outside of this crate's loops.
///
/// # Cancel safety
///
/// Cancel safe: dropped before it completes, it had no effect. The task runs on.
#[must_use = "futures do nothing unless awaited"]
pub struct RemoteJoin<T> {
    postbox: RemotePostbox<Result<T, JoinError>>,
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

/// Awaits a picture of another thread's tasks; see [`Remote::tasks`].
///
/// It may be awaited anywhere, also outside of this crate's loops.
///
/// # Cancel safety
///
/// Cancel safe: dropped before it completes, it had no effect.
#[must_use = "futures do nothing unless awaited"]
pub struct RemoteTasks {
    postbox: RemotePostbox<Vec<TaskSnapshot>>,
}

impl Future for RemoteTasks {
    type Output = Result<Vec<TaskSnapshot>, Closed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Pin::new(&mut self.postbox).poll(cx);
        polled.map(|delivery| delivery.map_err(|_| Closed::new()))
    }
}

impl fmt::Debug for RemoteTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteTasks").finish_non_exhaustive()
    }
}

/// The scheduler has shut down and takes nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    _private: (),
}

impl Closed {
    pub(crate) fn new() -> Self {
        Self { _private: () }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the scheduler has shut down")
    }
}

impl Error for Closed {}

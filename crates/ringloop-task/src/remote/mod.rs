//! The way to a scheduler from other threads.

mod join;

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

pub use join::RemoteJoin;
use ringloop_core::{RemotePostbox, remote_postbox};

use crate::context;
use crate::gate::Gate;
use crate::home::Home;
use crate::local::Traveling;
use crate::task::{self, JoinError, TaskRef, TaskSnapshot};

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

    /// Returns the way to the scheduler that runs on this thread, if one does. Counterpart:
    /// `asyncio.get_running_loop`.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::{Remote, Scheduler};
    ///
    /// assert!(Remote::current().is_none());
    /// let remote = Scheduler::new(ThreadDriver::new()).block_on(async { Remote::current() });
    /// assert!(remote.unwrap().is_closed(), "the scheduler has gone");
    /// ```
    #[must_use]
    #[doc(alias = "get_running_loop")]
    pub fn current() -> Option<Self> {
        context::with_home(|home| Self::new(&home.gate))
    }

    /// Calls `f` on the scheduler's thread, inside its loop and outside of any task, in the order
    /// of these calls. It sees the [traveling](Traveling) task locals of the caller. Counterpart:
    /// `loop.call_soon_threadsafe`.
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
        let mut traveling = Traveling::capture();
        if traveling.is_empty() {
            gate.post(Box::new(f))
        } else {
            gate.post(Box::new(move || traveling.run(f)))
        }
    }

    /// Starts a task on the scheduler's thread. `make` runs there, so the future it makes need not
    /// be `Send`. Dropping the returned future detaches the task, which has the
    /// [traveling](Traveling) task locals of the caller. Counterpart:
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
        let gate = self.gate.upgrade().ok_or_else(Closed::new)?;
        let (setter, join) = join::pair(gate.home);
        self.call_soon(move || drop(task::spawn_at(at, None, join::deliver(make, setter))))?;
        Ok(join)
    }

    /// Runs the future that `make` makes in a task on the scheduler's thread, and blocks this thread
    /// until it has ended. `make` runs there, so the future need not be `Send`. Counterpart:
    /// `trio.from_thread.run`, `asyncio.run_coroutine_threadsafe(...).result()`.
    ///
    /// For threads that have no loop of their own; on the thread of another loop it holds up that
    /// loop. It waits as long as nobody runs the scheduler; once that has gone, it returns.
    ///
    /// # Errors
    ///
    /// [`JoinError`]: the task panicked, or the scheduler [has gone](JoinError::is_gone), before or
    /// meanwhile.
    ///
    /// # Panics
    ///
    /// On the scheduler's own thread, where it would wait for ever.
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
    ///     let slept = remote.block_on(|| time::sleep(Duration::from_millis(1)));
    ///     remote.stop().expect("the scheduler is there");
    ///     slept
    /// });
    /// scheduler.block_on(time::sleep(Duration::MAX)).unwrap_err();
    /// thread.join().unwrap()?.expect("nobody cancels the sleep");
    /// # Ok::<(), ringloop_task::task::JoinError>(())
    /// ```
    #[doc(alias("run_coroutine_threadsafe", "from_thread.run"))]
    #[track_caller]
    pub fn block_on<M, F>(&self, make: M) -> Result<F::Output, JoinError>
    where
        M: FnOnce() -> F + Send + 'static,
        F: Future + 'static,
        F::Output: Send + 'static,
    {
        if let Some(gate) = self.gate.upgrade().filter(|gate| !gate.is_closed()) {
            join::assert_elsewhere(gate.home);
        }
        match self.spawn(make) {
            Ok(join) => join.wait(),
            Err(Closed { .. }) => Err(JoinError::gone(None)),
        }
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

//! A counted reference to a task, for looking at it.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use super::edge;
use super::error::JoinError;
use super::header::{ABORT, CALL, CANCEL, DONE, MAIN, MEMBER, RUNNING, SCHEDULED, WATCHED};
use super::id::TaskId;
use super::pointer::TaskPtr;
use super::waker;
use crate::cancel::{Cancelled, Reason, Request};
use crate::context;
use crate::home::Home;
use crate::local::Slot;
use crate::unhandled::UnhandledKind;
use crate::waker_set::{self, WakerKey};

/// A task as others see it: its number, name, state, and the wish that it stop.
///
/// Keeps the task's small memory alive, not its future. Counterpart: what `asyncio.all_tasks` and
/// `asyncio.current_task` return.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task};
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let _handle = task::Builder::new().name("idle").spawn(std::future::pending::<()>());
///     task::yield_now().await?;
///     let idle = task::all_tasks().into_iter().find(|task| task.name().as_deref() == Some("idle"));
///     assert_eq!(idle.unwrap().state(), task::TaskState::Waiting);
///     Ok::<(), ringloop_task::cancel::Cancelled>(())
/// })?;
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
pub struct TaskRef(pub(super) TaskPtr);

/// What a task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskState {
    /// It is in the ready queue.
    Ready,
    /// It is being polled.
    Running,
    /// It waits to be woken.
    Waiting,
    /// It has ended.
    Done,
}

impl TaskRef {
    /// Makes one more reference.
    pub(crate) fn retain(task: TaskPtr) -> Self {
        task.retain();
        Self(task)
    }

    /// Asks the task to cancel: the wait it is parked on, and every later one, gives
    /// `Err(Cancelled)`. Returns whether this was the first request and the task had not ended.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn cancel(&self, reason: impl Into<Reason>) -> bool {
        self.request(Request::new(reason.into()))
    }

    /// Drops the task's future: at once, or after the current poll if the task is running, as one
    /// that aborts itself. Its waits end where they are; nothing of it can await any more.
    ///
    /// Outside of a running loop the drop happens when the loop runs again. If it was the main
    /// task, its `block_on` panics.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn abort(&self) {
        let task = self.0;
        let flags = &task.header().flags;
        if flags.has(DONE) {
            return;
        }
        let at_home = context::with_home_of(task.header().gate, |home| {
            if flags.has(RUNNING) {
                flags.set(ABORT);
            } else {
                self.kill(home);
            }
        });
        if at_home.is_none() {
            flags.set(ABORT);
            task.wake();
        }
    }

    /// Returns whether somebody has asked the task to cancel. Counterpart: `Task.cancelling`.
    ///
    /// There is no `Task.uncancel`: a scope absorbs its own cancellation and no other, so nothing
    /// has to be taken back.
    #[must_use]
    #[doc(alias("cancelling", "uncancel"))]
    pub fn is_cancel_requested(&self) -> bool {
        self.0.header().flags.has(CANCEL)
    }

    /// Returns the task's number.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.0.header().id
    }

    /// Returns the name that [`Builder::name`](super::Builder::name) or
    /// [`set_name`](Self::set_name) gave the task.
    /// Counterpart: `Task.get_name`.
    #[must_use]
    pub fn name(&self) -> Option<Arc<str>> {
        self.0.header().cold.get()?.name.borrow().clone()
    }

    /// Gives the task a name, or another one, for reports. Counterpart: `Task.set_name`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::{Scheduler, task};
    ///
    /// Scheduler::new(ThreadDriver::new()).block_on(async {
    ///     let me = task::current().unwrap();
    ///     me.set_name("request 17");
    ///     assert_eq!(me.name().as_deref(), Some("request 17"));
    /// });
    /// ```
    pub fn set_name(&self, name: impl Into<Arc<str>>) {
        let name = name.into();
        self.0.header().cold().name.replace(Some(name));
    }

    /// Returns how often the task was polled.
    #[must_use]
    pub fn poll_count(&self) -> u64 {
        self.0.header().poll_count()
    }

    /// Returns where the task was spawned.
    #[must_use]
    pub fn spawned_at(&self) -> &'static Location<'static> {
        self.0.header().spawned_at
    }

    /// Returns where the wait was begun that the task is parked on. `None` if it is not parked,
    /// or on something that does not say.
    #[must_use]
    pub fn parked_at(&self) -> Option<&'static Location<'static>> {
        (self.state() == TaskState::Waiting)
            .then(|| self.0.header().parked_at.get())
            .flatten()
    }

    /// Returns how long the polls of the task took together, the one that goes on not counted.
    ///
    /// `None` without [debug mode](crate::SchedulerBuilder::debug), which takes the time, outside of
    /// the task's loop, and after the task's end.
    #[must_use]
    pub fn busy_time(&self) -> Option<Duration> {
        let busy_time = |home: &Home| {
            let watch = home.watch.as_ref().filter(|_| !self.is_done())?;
            watch.busy_time(self.id())
        };
        context::with_home_of(self.0.header().gate, busy_time).flatten()
    }

    /// Returns the tasks that wait for the end of this one, in spawn order: by its handle, or as the
    /// group that it is a child of. Nothing outside of the task's loop.
    ///
    /// For looking at a program, not for hot paths: it walks over all tasks. A handle that was
    /// polled, and is kept without being polled again, counts as awaited. Counterpart: the
    /// `awaited_by` of `asyncio.capture_call_graph`.
    #[must_use]
    #[doc(alias = "capture_call_graph")]
    pub fn awaited_by(&self) -> Vec<Self> {
        self.neighbors(|(task, waiter)| (task == self.id()).then_some(waiter))
    }

    /// Returns the tasks whose ends this one waits for; see [`awaited_by`](Self::awaited_by). There
    /// are several if it awaits them at once.
    #[must_use]
    pub fn awaiting(&self) -> Vec<Self> {
        self.neighbors(|(task, waiter)| (waiter == self.id()).then_some(task))
    }

    /// Returns the tasks that `side` picks from who waits for whom.
    fn neighbors(&self, side: impl Fn((TaskId, TaskId)) -> Option<TaskId>) -> Vec<Self> {
        context::with_home_of(self.0.header().gate, |home| {
            let edges = edge::all(home).into_iter();
            let mut ids: Vec<_> = edges.filter_map(side).collect();
            ids.sort_unstable();
            let mut live = home.registry.live();
            live.retain(|task| ids.binary_search(&task.id()).is_ok());
            live
        })
        .unwrap_or_default()
    }

    /// Returns what the task is doing.
    #[must_use]
    pub fn state(&self) -> TaskState {
        let flags = &self.0.header().flags;
        if flags.has(DONE) {
            TaskState::Done
        } else if flags.has(RUNNING) {
            TaskState::Running
        } else if flags.has(SCHEDULED) {
            TaskState::Ready
        } else {
            TaskState::Waiting
        }
    }

    /// Records a request to cancel and wakes whoever has to notice. Returns false if the task has
    /// ended or has a request already.
    pub(crate) fn request(&self, request: Request) -> bool {
        let header = self.0.header();
        if header.flags.has(DONE | CANCEL) {
            return false;
        }
        header.flags.set(CANCEL);
        context::with_home(Home::recall);
        let cold = header.cold();
        cold.request.replace(Some(request));
        self.0.wake();
        waker_set::wake_filed(&cold.foreign);
        true
    }

    /// Notes that the task is a child of a group, which will ask what it was [told](Self::told).
    pub(crate) fn set_member(&self) {
        self.0.header().flags.set(MEMBER);
    }

    /// Returns why the member of a group was asked to cancel, if an error that tells of that is
    /// alive.
    pub(crate) fn told(&self) -> Option<Reason> {
        let request = self.0.header().cold.get()?.request.borrow();
        request.as_ref().and_then(Request::told).cloned()
    }

    /// Returns whether the task has ended.
    pub(crate) fn is_done(&self) -> bool {
        self.0.header().flags.has(DONE)
    }

    /// Aborts a call that has not begun. Returns false if it has, or was aborted before.
    pub(crate) fn withdraw(&self) -> bool {
        let flags = &self.0.header().flags;
        if flags.has(DONE | RUNNING | ABORT) {
            return false;
        }
        flags.set(ABORT);
        self.abort();
        true
    }

    /// Returns whether the task was aborted before its end, by a call of `withdraw`.
    pub(crate) fn is_aborted(&self) -> bool {
        self.0.header().flags.has(ABORT)
    }

    /// Returns whether this is a call of a function.
    pub(crate) fn is_call(&self) -> bool {
        self.0.header().flags.has(CALL)
    }

    /// Puts the task into the ready queue, unless it is there or has ended.
    pub(crate) fn schedule(&self, home: &Home) {
        self.0.schedule(home);
    }

    /// Polls the task here and now. It was made just now.
    pub(crate) fn run_inside(&self, home: &Home) {
        self.0.run_inside(home);
    }

    /// Ends a task that is not running with this error.
    pub(crate) fn kill_with(&self, home: &Home, error: JoinError) {
        self.0.kill(home, error);
    }

    /// Returns whether the task is only in the ready queue to leave it.
    pub(crate) fn is_ending(&self) -> bool {
        self.0.header().flags.has(DONE | ABORT)
    }

    /// Notes that somebody wants to hear of the task's wakes.
    pub(crate) fn set_watched(&self) {
        self.0.header().flags.set(WATCHED);
    }

    /// Drops the future of a task that is not running.
    pub(crate) fn kill(&self, home: &Home) {
        self.0.kill(home, JoinError::aborted(self.id()));
    }

    /// Tells the hook what became of the task.
    pub(crate) fn report(&self, home: &Home, kind: UnhandledKind) {
        home.report(self.0, kind, None);
    }

    /// Counts what has to be waited for inside the task, although it is cancelled.
    /// Returns how many there are now.
    pub(crate) fn change_stays(&self, change: i32) -> u32 {
        let stays = &self.0.header().cold().stays;
        stays.set(stays.get().wrapping_add_signed(change));
        stays.get()
    }

    /// Returns whether it is this task.
    pub(crate) fn is(&self, task: TaskPtr) -> bool {
        self.0 == task
    }

    /// Has the task polled.
    pub(crate) fn wake(&self) {
        self.0.wake();
    }

    /// Files a waker that is not the task's own under requests to cancel.
    pub(crate) fn link(&self, waker: Waker) -> WakerKey {
        self.0.header().cold().foreign.borrow_mut().insert(waker)
    }

    /// Withdraws a waker that `link` has filed.
    pub(crate) fn unlink(&self, key: WakerKey) {
        let waker = self.0.header().cold().foreign.borrow_mut().remove(key);
        drop(waker);
    }
}

/// Returns whether a task was asked to cancel.
#[inline]
pub(crate) fn is_requested(task: TaskPtr) -> bool {
    task.header().flags.has(CANCEL)
}

/// Returns whether a task is in the ready queue.
pub(crate) fn is_scheduled(task: TaskPtr) -> bool {
    task.header().flags.has(SCHEDULED)
}

/// Returns whether a task is the main one of a `block_on`.
pub(crate) fn is_main(task: TaskPtr) -> bool {
    task.header().flags.has(MAIN)
}

/// Returns what the waits of a task say, if it was asked to cancel.
#[inline]
pub(crate) fn requested(task: TaskPtr) -> Option<Cancelled> {
    let header = task.header();
    if !header.flags.has(CANCEL) {
        return None;
    }
    header
        .cold
        .get()?
        .request
        .borrow_mut()
        .as_mut()
        .map(|request| request.cancelled(header.flags.has(MEMBER)))
}

/// Returns the task's values of task locals.
#[inline(always)]
pub(crate) fn locals_of(task: &TaskPtr) -> &Slot {
    &task.header().locals
}

/// Returns a task's number.
pub(crate) fn id_of(task: TaskPtr) -> TaskId {
    task.header().id
}

/// Notes where the wait was begun that the task is about to be parked on.
#[inline]
pub(crate) fn set_parked_at(task: TaskPtr, location: &'static Location<'static>) {
    task.header().parked_at.set(Some(location));
}

/// Returns whether `waker` wakes exactly this task, directly.
#[inline]
pub(crate) fn is_waker_of(waker: &Waker, task: TaskPtr) -> bool {
    waker::is_waker_of(waker, task)
}

/// Returns the task that is running: `None` outside of a loop, and in code that the loop itself
/// runs. Counterpart: `asyncio.current_task`.
#[must_use]
#[doc(alias = "current_task")]
pub fn current() -> Option<TaskRef> {
    context::with_home(|home| home.current.get().map(TaskRef::retain)).flatten()
}

/// Returns all tasks of this thread's loop that have not ended, in spawn order; nothing outside of
/// a loop. Counterpart: `asyncio.all_tasks`.
#[must_use]
pub fn all_tasks() -> Vec<TaskRef> {
    context::with_home(|home| home.registry.live()).unwrap_or_default()
}

impl Clone for TaskRef {
    fn clone(&self) -> Self {
        Self::retain(self.0)
    }
}

impl Drop for TaskRef {
    fn drop(&mut self) {
        self.0.release_handle();
    }
}

impl fmt::Debug for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskRef")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("state", &self.state())
            .field("spawned_at", &format_args!("{}", self.spawned_at()))
            .finish()
    }
}

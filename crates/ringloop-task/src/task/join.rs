//! The handle that awaits a task's output.

#![expect(
    unsafe_code,
    reason = "the output is moved out of the cell by its address"
)]

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::budget;
use super::error::JoinError;
use super::header::{DONE, HANDLE, OUTPUT};
use super::id::TaskId;
use super::on_done::CallbackId;
use super::reference::TaskRef;
use crate::cancel::{CancelWatch, Cancelled, Reason, Request};
use crate::waker_set::WakerKey;

/// Awaits a task's output. Dropping it detaches the task, which runs on.
///
/// Awaiting it inside a scope that is cancelled passes the request on to the task, once, and goes
/// on waiting for the task's own end; [`wait`](Self::wait) does not pass it on. A handle may
/// outlive the scheduler: it resolves to an error then, if the task had no output. Counterpart:
/// `asyncio.Task`.
///
/// # Cancel safety
///
/// Cancel safe: the handle may be polled by reference, dropped out of a race, and polled again.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task};
///
/// let sum = Scheduler::new(ThreadDriver::new()).block_on(async {
///     let two = task::spawn(async { 2 });
///     let three = task::spawn(async { 3 });
///     Ok::<i32, task::JoinError>(two.await? + three.await?)
/// })?;
/// assert_eq!(sum, 5);
/// # Ok::<(), task::JoinError>(())
/// ```
#[doc(alias = "Task")]
pub struct JoinHandle<T> {
    task: TaskRef,
    watch: CancelWatch,
    /// Whether a request has been passed on: once is enough.
    has_passed_on: bool,
    output: PhantomData<T>,
}

impl<T> JoinHandle<T> {
    /// Makes the handle of a task whose output is `Result<T, JoinError>`, and whose `HANDLE` flag
    /// says that it has one.
    pub(super) fn new(task: TaskRef) -> Self {
        let watch = CancelWatch::at(task.spawned_at());
        Self {
            task,
            watch,
            has_passed_on: false,
            output: PhantomData,
        }
    }

    /// Asks the task to cancel: the wait it is parked on, and every later one, gives
    /// `Err(Cancelled)`. Returns whether this was the first request and the task had not ended.
    ///
    /// The request is delivered at the task's next wait, also if the task has not begun to run.
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
    /// use std::time::Duration;
    ///
    /// Scheduler::new(ThreadDriver::new()).block_on(async {
    ///     let child = task::spawn(time::sleep(Duration::MAX));
    ///     assert!(child.cancel("not needed"));
    ///     let cancelled = child.await.expect("it ran to its end").unwrap_err();
    ///     assert_eq!(cancelled.reason().text(), "not needed");
    /// });
    /// ```
    pub fn cancel(&self, reason: impl Into<Reason>) -> bool {
        self.task.cancel(reason)
    }

    /// Drops the task's future: at once, or after the current poll if the task aborts itself. Its
    /// waits end where they are; nothing of it can await any more.
    ///
    /// Outside of a running loop the drop happens when the loop runs again.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn abort(&self) {
        self.task.abort();
    }

    /// Waits for the end of the task, and leaves the output in place.
    ///
    /// # Errors
    ///
    /// `Cancelled` if the *waiting* task or scope is cancelled; the task is not.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::{Scheduler, task};
    ///
    /// Scheduler::new(ThreadDriver::new()).block_on(async {
    ///     let child = task::spawn(async { "done" });
    ///     child.wait().await?;
    ///     assert!(child.is_finished());
    ///     assert_eq!(child.await.unwrap(), "done");
    ///     Ok::<(), ringloop_task::cancel::Cancelled>(())
    /// })?;
    /// # Ok::<(), ringloop_task::cancel::Cancelled>(())
    /// ```
    #[track_caller]
    pub fn wait(&self) -> Wait<'_> {
        Wait {
            task: &self.task,
            key: None,
            watch: CancelWatch::new(),
        }
    }

    /// Returns whether the task has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.task.0.header().flags.has(DONE)
    }

    /// Calls `callback` from the loop when the task has ended; see [`TaskRef::on_done`].
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "add_done_callback")]
    #[track_caller]
    pub fn on_done(&self, callback: impl FnOnce(&TaskRef) + 'static) -> CallbackId {
        self.task.on_done(callback)
    }

    /// Takes a callback back; see [`TaskRef::remove_on_done`].
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "remove_done_callback")]
    pub fn remove_on_done(&self, id: CallbackId) -> bool {
        self.task.remove_on_done(id)
    }

    /// Returns the task's number.
    #[must_use]
    pub fn id(&self) -> TaskId {
        self.task.id()
    }

    /// Returns the task's name.
    #[must_use]
    pub fn name(&self) -> Option<Arc<str>> {
        self.task.name()
    }

    /// Returns the task, for looking at it.
    #[must_use]
    pub fn task(&self) -> TaskRef {
        self.task.clone()
    }

    /// Takes the output, if the task has ended: `None` before the end, and after the output was
    /// given. Works outside of the loop. Counterpart: `Task.result`, `Task.exception`.
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
    ///     let mut child = task::spawn(async { 6 * 7 });
    ///     assert!(child.try_result().is_none());
    ///     task::yield_now().await?;
    ///     assert_eq!(child.try_result().unwrap().unwrap(), 42);
    ///     assert!(child.try_result().is_none());
    ///     Ok::<(), ringloop_task::cancel::Cancelled>(())
    /// })?;
    /// # Ok::<(), ringloop_task::cancel::Cancelled>(())
    /// ```
    #[doc(alias("result", "exception"))]
    pub fn try_result(&mut self) -> Option<Result<T, JoinError>> {
        self.take_output()
    }

    /// Returns whether the output is there.
    #[inline]
    fn is_ready(&self) -> bool {
        self.task.0.header().flags.has(OUTPUT)
    }

    /// Takes the output, if it is there.
    pub(crate) fn take_output(&mut self) -> Option<Result<T, JoinError>> {
        self.is_ready().then(|| self.take_ready())
    }

    /// Takes the output, which is there.
    #[inline]
    fn take_ready(&mut self) -> Result<T, JoinError> {
        if self.has_passed_on {
            self.watch.leave();
        }
        let task = self.task.0;
        let header = task.header();
        header.flags.clear(OUTPUT);
        let mut output = None;
        let place = NonNull::from(&mut output).cast();
        // SAFETY: I3: the output is there, this is its home thread (a handle is not `Send`), and
        // the handle's type is that of the output.
        unsafe { (header.vtable.take)(task.0, place) };
        output.expect("the output was taken out of its cell")
    }

    /// Makes the handle as good as one that was never polled.
    pub(crate) fn rewind(&mut self) {
        self.watch = CancelWatch::at(self.task.spawned_at());
        self.has_passed_on = false;
        self.unregister();
    }

    /// Returns the output, if it is there, without taking it.
    pub(crate) fn peek(&self) -> Option<&Result<T, JoinError>> {
        let task = self.task.0;
        let header = task.header();
        if !header.flags.has(OUTPUT) {
            return None;
        }
        // SAFETY: I3: the output is there, and this is its home thread (a handle is not `Send`).
        let output = unsafe { (header.vtable.peek)(task.0) };
        // SAFETY: I3: the handle's type is that of the output, which is taken through a mutable
        // borrow of the handle only: not while this one lasts.
        Some(unsafe { output.cast().as_ref() })
    }

    /// Forgets the waker that was kept for the end of the task.
    pub(crate) fn unregister(&self) {
        drop(self.task.0.header().joiner.take());
    }

    /// Keeps the waker for the end of the task.
    pub(crate) fn register(&self, waker: &std::task::Waker) {
        let joiner = &self.task.0.header().joiner;
        match joiner.take() {
            Some(filed) if filed.will_wake(waker) => joiner.set(Some(filed)),
            _ => joiner.set(Some(waker.clone())),
        }
    }
}

impl<T> Unpin for JoinHandle<T> {}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.is_ready() {
            ready!(budget::poll_spend(cx));
            return Poll::Ready(self.take_ready().map_err(JoinError::told_here));
        }
        assert!(
            !self.is_finished(),
            "a join handle was polled after it gave the output"
        );
        if self.has_passed_on {
            self.watch.stay_on();
        } else if let Err(cancelled) = self.watch.poll_cancelled(cx) {
            self.has_passed_on = true;
            self.watch.stay();
            self.task.request(Request::passed_on(&cancelled));
        }
        let this = &mut *self;
        this.watch.awaits(&this.task);
        this.register(cx.waker());
        Poll::Pending
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        let header = self.task.0.header();
        header.flags.clear(HANDLE);
        drop(header.joiner.take());
        // A scheduler that still exists drops the output when it learns of this reference.
        if header.flags.has(OUTPUT) && header.word.is_orphaned() {
            drop(self.take_output());
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("state", &self.task.state())
            .finish()
    }
}

/// Waits for the end of a task; see [`JoinHandle::wait`].
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct Wait<'a> {
    task: &'a TaskRef,
    key: Option<WakerKey>,
    watch: CancelWatch,
}

impl Future for Wait<'_> {
    type Output = Result<(), Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let header = self.task.0.header();
        if header.flags.has(DONE) {
            ready!(budget::poll_spend(cx));
            return Poll::Ready(Ok(()));
        }
        self.watch.poll_cancelled(cx)?;
        let this = &mut *self;
        this.watch.awaits(this.task);
        let waiters = &header.cold().waiters;
        if let Some(key) = self.key
            && waiters.borrow().is_current(key, cx.waker())
        {
            return Poll::Pending;
        }
        // Cloning and dropping is foreign code: not under the borrow.
        let waker = cx.waker().clone();
        let unneeded = match self.key {
            Some(key) => waiters.borrow_mut().replace(key, waker),
            None => {
                self.key = Some(waiters.borrow_mut().insert(waker));
                None
            }
        };
        drop(unneeded);
        Poll::Pending
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = self.task.0.header().cold().waiters.borrow_mut().remove(key);
            drop(waker);
        }
    }
}

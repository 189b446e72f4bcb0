//! The handle of a group.

use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use super::child::{Child, Sink, ToGroup};
use super::rejected::Rejected;
use super::shared::Shared;
use crate::cancel::Reason;
use crate::task::{Builder, JoinHandle, TaskRef};

/// Spawns tasks into a [`group`](super::group()), and cancels it.
///
/// Cheap to clone, and `'static`, so that children can spawn siblings. Counterpart:
/// `asyncio.TaskGroup`, `trio.Nursery`.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::cancel::Cancelled;
/// use ringloop_task::group::group;
/// use ringloop_task::{Scheduler, task};
///
/// let done = Scheduler::new(ThreadDriver::new()).block_on(group(async |g| {
///     let siblings = g.clone();
///     g.spawn(async move {
///         siblings.spawn(async { task::yield_now().await });
///         Ok(())
///     });
///     Ok::<_, Cancelled>(g.len())
/// }));
/// assert_eq!(done.unwrap(), 1);
/// ```
pub struct TaskGroup<E> {
    shared: Rc<Shared<E>>,
}

impl<E: 'static> TaskGroup<E> {
    pub(super) fn new(shared: Rc<Shared<E>>) -> Self {
        Self { shared }
    }

    /// Starts a child, as [`task::spawn`](crate::task::spawn) starts a task.
    ///
    /// What it fails with goes to the group, and its handle tells
    /// [`is_failed`](crate::task::JoinError::is_failed). If it was merely cancelled, its handle
    /// tells [`is_cancelled`](crate::task::JoinError::is_cancelled). In a group that is cancelled
    /// and not over, the child runs to its first wait. The future is dropped at once in a group
    /// that is over, and the handle gives an error.
    ///
    /// # Panics
    ///
    /// Outside of a running loop.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias("create_task", "start_soon"))]
    #[track_caller]
    pub fn spawn<U, F>(&self, future: F) -> JoinHandle<U>
    where
        F: Future<Output = Result<U, E>> + 'static,
        U: 'static,
    {
        self.spawn_with(Location::caller(), Builder::new(), future, ToGroup)
    }

    /// Starts a child, unless the group is over.
    ///
    /// # Errors
    ///
    /// [`Rejected`], with the future in it, if the group is over.
    ///
    /// # Panics
    ///
    /// Outside of a running loop.
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
    /// use ringloop_task::cancel::Cancelled;
    /// use ringloop_task::group::group;
    ///
    /// Scheduler::new(ThreadDriver::new()).block_on(async {
    ///     let escaped = group(async |g| Ok::<_, Cancelled>(g.clone())).await.unwrap();
    ///     let rejected = escaped.try_spawn(async { Ok(7) }).unwrap_err();
    ///     assert_eq!(rejected.into_inner().await.unwrap(), 7);
    /// });
    /// ```
    #[track_caller]
    pub fn try_spawn<U, F>(&self, future: F) -> Result<JoinHandle<U>, Rejected<F>>
    where
        F: Future<Output = Result<U, E>> + 'static,
        U: 'static,
    {
        if self.shared.is_over() {
            return Err(Rejected::over(future));
        }
        Ok(self.spawn_with(Location::caller(), Builder::new(), future, ToGroup))
    }

    pub(super) fn spawn_with<U, F, S>(
        &self,
        at: &'static Location<'static>,
        builder: Builder,
        future: F,
        sink: S,
    ) -> JoinHandle<U>
    where
        F: Future<Output = Result<U, E>> + 'static,
        U: 'static,
        S: Sink<E> + 'static,
    {
        let (child, place) = Child::new(&self.shared, future, sink);
        if self.shared.is_over() {
            let handle = builder.eager(false).start(at, child);
            handle.abort();
            return handle;
        }
        let handle = builder.start(at, child);
        // One that has ended inside the spawn has left its place.
        self.shared.enter(place, &handle.task());
        handle
    }

    /// Ends the group early: asks the body and all children to cancel. Returns whether this was
    /// the first request; later ones, and one to a group that is over, change nothing.
    ///
    /// If the body returns a value all the same, that is the group's.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::cancel::Cancelled;
    /// use ringloop_task::group::group;
    /// use ringloop_task::{Scheduler, time};
    /// use std::time::Duration;
    ///
    /// let answer = Scheduler::new(ThreadDriver::new()).block_on(group(async |g| {
    ///     g.spawn(time::sleep(Duration::MAX));
    ///     g.cancel("the answer is known");
    ///     Ok::<_, Cancelled>(42)
    /// }));
    /// assert_eq!(answer.unwrap(), 42);
    /// ```
    pub fn cancel(&self, reason: impl Into<Reason>) -> bool {
        self.shared.cancel(reason.into().of_group())
    }
}

impl<E> TaskGroup<E> {
    /// Returns the children that have not ended, in the order of their spawns.
    #[must_use]
    pub fn children(&self) -> Vec<TaskRef> {
        self.shared.children()
    }

    /// Returns how many children have not ended.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.len()
    }

    /// Returns whether all children have ended.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether the group was asked to cancel: by [`cancel`](Self::cancel), a failure, or a
    /// cancellation around it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.shared.is_cancelled()
    }

    /// Returns whether the group's future is done, or gone.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.shared.is_over()
    }
}

impl Builder {
    /// Starts the task as a child of `group`, as [`TaskGroup::spawn`] does.
    ///
    /// # Panics
    ///
    /// Outside of a running loop.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::cancel::Cancelled;
    /// use ringloop_task::group::group;
    /// use ringloop_task::{Scheduler, task};
    ///
    /// let name = Scheduler::new(ThreadDriver::new()).block_on(group(async |g| {
    ///     let child = task::Builder::new().name("child").spawn_in(g, async { Ok(()) });
    ///     Ok::<_, Cancelled>(child.name())
    /// }));
    /// assert_eq!(name.unwrap().as_deref(), Some("child"));
    /// ```
    #[track_caller]
    pub fn spawn_in<U, E, F>(self, group: &TaskGroup<E>, future: F) -> JoinHandle<U>
    where
        F: Future<Output = Result<U, E>> + 'static,
        U: 'static,
        E: 'static,
    {
        group.spawn_with(Location::caller(), self, future, ToGroup)
    }
}

impl<E> Clone for TaskGroup<E> {
    fn clone(&self) -> Self {
        Self {
            shared: Rc::clone(&self.shared),
        }
    }
}

impl<E> fmt::Debug for TaskGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}

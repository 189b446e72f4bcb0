//! Several tasks, in the order of their ends.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::ready::{Key, ReadyQueue};
use crate::cancel::{CancelWatch, Cancelled};
use crate::task::{Edges, JoinHandle, poll_budget};

/// Gives the handles of several tasks back in the order in which the tasks end.
///
/// Those that have ended already come first, in the order of the handles. A step costs the same
/// however many tasks there are. Dropping it detaches the tasks that are left;
/// [`into_pending`](AsCompleted::into_pending) gives their handles back. Counterpart:
/// `asyncio.as_completed`, its asynchronous form.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task, time};
/// use std::time::Duration;
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let mut completed = task::as_completed([20, 1, 10].map(|millis| {
///         task::spawn(async move {
///             time::sleep(Duration::from_millis(millis)).await.ok();
///             millis
///         })
///     }));
///     let mut order = Vec::new();
///     while let Some(handle) = completed.next().await? {
///         order.push(handle.await.expect("it does not panic"));
///     }
///     assert_eq!(order, [1, 10, 20]);
///     Ok::<(), ringloop_task::cancel::Cancelled>(())
/// })?;
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
pub fn as_completed<T>(handles: impl IntoIterator<Item = JoinHandle<T>>) -> AsCompleted<T> {
    let mut completed = AsCompleted {
        tasks: Vec::new(),
        queue: ReadyQueue::new(),
        edges: Edges::default(),
        len: 0,
    };
    for handle in handles {
        completed.push(handle);
    }
    completed
}

/// Several tasks, in the order of their ends; see [`as_completed`].
#[must_use = "dropping it detaches the tasks"]
pub struct AsCompleted<T> {
    /// By place in the queue.
    tasks: Vec<Option<(Key, JoinHandle<T>)>>,
    /// Those that have ended. A task wakes its place when it ends.
    queue: Arc<ReadyQueue>,
    /// Whose ends are waited for.
    edges: Edges,
    len: usize,
}

impl<T> AsCompleted<T> {
    /// Adds a task. If it has ended, it comes after those that have ended before.
    pub fn push(&mut self, handle: JoinHandle<T>) {
        let (key, waker) = self.queue.enter();
        if handle.is_finished() {
            self.queue.wake(key);
        } else {
            handle.register(&waker);
        }
        self.edges.set(key.index(), Some(handle.id()));
        if self.tasks.len() <= key.index() {
            self.tasks.resize_with(key.index() + 1, || None);
        }
        self.tasks[key.index()] = Some((key, handle));
        self.len += 1;
    }

    /// Waits until one more task has ended, and gives its handle, which gives the output at once.
    /// `None` when there are no more.
    ///
    /// # Errors
    ///
    /// `Cancelled` if the *waiting* task or scope is cancelled; the tasks are not.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[expect(
        clippy::should_implement_trait,
        reason = "the name that it has in streams, which std has not"
    )]
    #[track_caller]
    pub fn next(&mut self) -> NextCompleted<'_, T> {
        NextCompleted {
            completed: self,
            watch: CancelWatch::new(),
        }
    }

    /// Returns how many tasks have not been given back.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether all tasks have been given back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Gives back the handles that are left, in the order in which they came.
    #[must_use = "dropping the handles detaches the tasks"]
    pub fn into_pending(self) -> Vec<JoinHandle<T>> {
        let mut left: Vec<_> = self.tasks.into_iter().flatten().collect();
        left.sort_by_key(|(key, _)| key.ticket());
        let handles = left.into_iter().map(|(_, handle)| handle);
        handles.inspect(JoinHandle::unregister).collect()
    }

    /// Takes out the task that has ended first.
    fn take(&mut self) -> Option<JoinHandle<T>> {
        let key = self.queue.pop()?;
        self.queue.leave(key);
        self.edges.set(key.index(), None);
        let (_, handle) = self.tasks[key.index()].take()?;
        debug_assert!(handle.is_finished(), "only its end wakes a joiner");
        self.len -= 1;
        Some(handle)
    }
}

impl<T> fmt::Debug for AsCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// Waits for one more of several tasks; see [`AsCompleted::next`].
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct NextCompleted<'a, T> {
    completed: &'a mut AsCompleted<T>,
    watch: CancelWatch,
}

impl<T> Future for NextCompleted<'_, T> {
    type Output = Result<Option<JoinHandle<T>>, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Filed first: what ends from here on wakes it.
        self.completed.queue.begin(cx.waker());
        let budget = ready!(poll_budget(cx));
        if let Some(handle) = self.completed.take() {
            budget.spend();
            return Poll::Ready(Ok(Some(handle)));
        }
        if self.completed.is_empty() {
            return Poll::Ready(Ok(None));
        }
        self.watch.poll_cancelled(cx)?;
        self.completed.edges.note();
        Poll::Pending
    }
}

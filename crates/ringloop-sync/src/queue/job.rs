//! An item that is being worked on.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// An item that was got to be worked on: as long as it exists, the
/// [join](crate::hosted::Queue::join) of its queue waits.
///
/// A job is done when it is dropped, also by a panic. Counterpart: `asyncio.Queue.task_done`, which
/// can be forgotten or called too often.
///
/// # Examples
///
/// ```
/// use ringloop_sync::Queue;
///
/// let queue = Queue::unbounded();
/// queue.try_put("dishes").unwrap();
/// let job = queue.try_get_job().unwrap();
/// assert_eq!(*job, "dishes");
/// assert_eq!(queue.statistics().unfinished, 1);
/// job.done();
/// assert_eq!(queue.statistics().unfinished, 0);
/// ```
#[doc(alias = "task_done")]
#[must_use = "a job that is dropped is done"]
pub struct Job<'a, T> {
    // Dropped in this order: the destructor of the item is part of the work.
    item: T,
    unfinished: Unfinished<'a>,
}

impl<'a, T> Job<'a, T> {
    #[inline]
    pub(super) fn new(item: T, unfinished: Unfinished<'a>) -> Self {
        Self { item, unfinished }
    }

    /// Says that the work is done, and drops the item. Dropping the job does the same.
    #[doc(alias = "task_done")]
    pub fn done(self) {
        drop(self);
    }

    /// Says that the work is done, and returns the item.
    #[must_use = "`done` drops the item"]
    pub fn into_inner(self) -> T {
        drop(self.unfinished);
        self.item
    }
}

impl<T> Deref for Job<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.item
    }
}

impl<T> DerefMut for Job<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.item
    }
}

impl<T: fmt::Debug> fmt::Debug for Job<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("item", &self.item)
            .finish_non_exhaustive()
    }
}

/// Counts jobs, whatever the type of the queue.
pub(super) trait Jobs {
    fn begin(&self);
    fn end(&self);
}

/// One job that was begun and has not ended.
pub(super) struct Unfinished<'a>(&'a (dyn Jobs + 'a));

impl<'a> Unfinished<'a> {
    #[inline]
    pub(super) fn begin(jobs: &'a impl Jobs) -> Self {
        jobs.begin();
        Self(jobs)
    }
}

impl Drop for Unfinished<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.end();
    }
}

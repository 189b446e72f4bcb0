//! So many children at a time.

use std::fmt;
use std::num::NonZeroUsize;
use std::panic::Location;
use std::rc::Rc;

use super::child::ToGroup;
use super::handle::TaskGroup;
use super::map::{Map, Order};
use super::rejected::Rejected;
use super::slots::{JoinPool, Slot, Slots, Take};
use crate::cancel::{CancelWatch, Cancelled};
use crate::task::{Builder, JoinHandle};

/// A part of a group in which so many children run at a time.
///
/// Its children are the group's: they end before it does, and what they fail with is the group's.
/// A spawn waits for a free slot, first come, first served. Cheap to clone; the clones share the
/// slots. Counterpart: `gevent.pool.Pool`.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::cancel::Cancelled;
/// use ringloop_task::group::{Pool, group};
/// use ringloop_task::{Scheduler, time};
/// use std::time::Duration;
///
/// let done = Scheduler::new(ThreadDriver::new()).block_on(group(async |g| {
///     let pool = Pool::new(g, 2);
///     for _ in 0..6 {
///         pool.spawn(time::sleep(Duration::from_millis(1))).await?;
///         assert!(pool.len() <= 2);
///     }
///     Ok::<_, Cancelled>(())
/// }));
/// assert!(done.is_ok());
/// ```
pub struct Pool<E> {
    group: TaskGroup<E>,
    slots: Rc<Slots>,
}

impl<E: 'static> Pool<E> {
    /// Makes a pool of `limit` slots in a group.
    ///
    /// # Panics
    ///
    /// If `limit` is zero: nothing could ever run.
    #[must_use]
    #[track_caller]
    pub fn new(group: &TaskGroup<E>, limit: usize) -> Self {
        let limit = NonZeroUsize::new(limit).expect("a pool has at least one slot");
        Self {
            group: group.clone(),
            slots: Rc::new(Slots::new(limit.get())),
        }
    }

    /// Starts a child as soon as a slot is free; [`TaskGroup::spawn`] says what becomes of it.
    ///
    /// # Errors
    ///
    /// `Cancelled` if the waiting task or a scope around it is cancelled first. The future has not
    /// begun, and is dropped.
    ///
    /// # Panics
    ///
    /// When polled outside of a running loop.
    ///
    /// # Cancel safety
    ///
    /// Dropped or cancelled, the child was not started, and its future is dropped.
    #[track_caller]
    pub fn spawn<U, F>(
        &self,
        future: F,
    ) -> impl Future<Output = Result<JoinHandle<U>, Cancelled>> + use<U, F, E>
    where
        F: Future<Output = Result<U, E>> + 'static,
        U: 'static,
    {
        let at = Location::caller();
        let take = Take::new(&self.slots, CancelWatch::at(at));
        let group = self.group.clone();
        async move {
            let slot = take.await?;
            Ok(spawn_in(&group, slot, at, future))
        }
    }

    /// Starts a child, if a slot is free and the group is not over.
    ///
    /// # Errors
    ///
    /// [`Rejected`], with the future in it.
    ///
    /// # Panics
    ///
    /// Outside of a running loop.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[track_caller]
    pub fn try_spawn<U, F>(&self, future: F) -> Result<JoinHandle<U>, Rejected<F>>
    where
        F: Future<Output = Result<U, E>> + 'static,
        U: 'static,
    {
        if self.group.is_over() {
            return Err(Rejected::over(future));
        }
        match self.slots.try_take() {
            Some(slot) => Ok(spawn_in(&self.group, slot, Location::caller(), future)),
            None => Err(Rejected::full(future)),
        }
    }

    /// Runs `work` on every item, as many at a time as there are slots, and gives the results in
    /// the order of the items.
    ///
    /// Items are started by [`Map::next`], at most as many as the pool has slots beyond those whose
    /// results were taken, so a slow consumer holds the work up, and `items` may be without end.
    /// An error that `work` returns is a result like others; a panic is the group's. Counterpart:
    /// `gevent.pool.Pool.imap`.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::cancel::Cancelled;
    /// use ringloop_task::group::{Pool, group};
    /// use ringloop_task::{Scheduler, task};
    ///
    /// let squares = Scheduler::new(ThreadDriver::new()).block_on(group(async |g| {
    ///     let pool = Pool::new(g, 4);
    ///     let mut squares = pool.map(1.., |n| async move {
    ///         task::yield_now().await?;
    ///         Ok::<u64, Cancelled>(n * n)
    ///     });
    ///     let mut sum = 0;
    ///     while let Some(Ok(square)) = squares.next().await
    ///         && sum < 100
    ///     {
    ///         sum += square?;
    ///     }
    ///     Ok::<_, Cancelled>(sum)
    /// }));
    /// assert_eq!(squares.unwrap(), 140);
    /// ```
    #[doc(alias = "imap")]
    #[track_caller]
    pub fn map<I, W, F>(&self, items: I, work: W) -> Map<I::IntoIter, W, F::Output, E>
    where
        I: IntoIterator,
        W: FnMut(I::Item) -> F,
        F: Future + 'static,
        F::Output: 'static,
    {
        Map::new(self, items.into_iter(), work, Order::Items)
    }

    /// Runs `work` on every item as [`map`](Self::map) does, and gives the results in the order of
    /// their completion. Counterpart: `gevent.pool.Pool.imap_unordered`.
    #[doc(alias = "imap_unordered")]
    #[track_caller]
    pub fn map_unordered<I, W, F>(&self, items: I, work: W) -> Map<I::IntoIter, W, F::Output, E>
    where
        I: IntoIterator,
        W: FnMut(I::Item) -> F,
        F: Future + 'static,
        F::Output: 'static,
    {
        Map::new(self, items.into_iter(), work, Order::Completion)
    }
}

impl<E> Pool<E> {
    /// Waits until no child of the pool runs, and nobody waits for a slot.
    ///
    /// # Errors
    ///
    /// `Cancelled` if the waiting task or a scope around it is cancelled first.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    pub fn join(&self) -> JoinPool {
        JoinPool::new(&self.slots)
    }

    /// Returns how many slots are in use.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.limit() - self.slots.free()
    }

    /// Returns whether no slot is in use.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether a spawn would have to wait.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.slots.free() == 0
    }

    /// Returns how many children run at a time.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.slots.limit()
    }

    /// Returns how many wait for a slot.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.slots.waiting()
    }

    /// Returns the group that the pool is a part of.
    #[must_use]
    pub fn group(&self) -> &TaskGroup<E> {
        &self.group
    }

    pub(super) fn slots(&self) -> &Rc<Slots> {
        &self.slots
    }
}

/// Starts a child that has a slot.
pub(super) fn spawn_in<U, E, F>(
    group: &TaskGroup<E>,
    slot: Slot,
    at: &'static Location<'static>,
    future: F,
) -> JoinHandle<U>
where
    F: Future<Output = Result<U, E>> + 'static,
    U: 'static,
    E: 'static,
{
    let child = async move {
        // Given back when the future is gone.
        let _slot = slot;
        future.await
    };
    group.spawn_with(at, Builder::new(), child, ToGroup)
}

impl<E> Clone for Pool<E> {
    fn clone(&self) -> Self {
        Self {
            group: self.group.clone(),
            slots: Rc::clone(&self.slots),
        }
    }
}

impl<E> fmt::Debug for Pool<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("limit", &self.limit())
            .field("len", &self.len())
            .field("waiting", &self.waiting())
            .field("group", &self.group)
            .finish()
    }
}

//! A queue between the tasks of one thread, in three orders.
//!
//! | file | what it has |
//! |---|---|
//! | `buffer` | what the items wait in, which decides who comes out next |
//! | `exchange` | the items, who waits to put or to get one, and the invariants |
//! | `put`, `get`, `join` | the futures |
//! | `job` | an item that is being worked on |
//! | `finally` | what is done also if foreign code panics |
//! | `error` | why an item was not put, or none was got |

mod buffer;
mod error;
mod exchange;
mod finally;
mod get;
mod job;
mod join;
mod put;

pub use buffer::{Buffer, Heap};
pub use error::{GetError, PutError, TryGetError, TryPutError};
pub use get::{Get, GetJob, GetNext, GetNextJob};
pub use job::Job;
pub use join::JoinQueue;
pub use put::Put;

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use ringloop_core::WaitList;

use crate::host::Host;
use exchange::Exchange;
use finally::Finally;
use job::{Jobs, Unfinished};

/// A queue between the tasks of one thread; the first item in is the first out.
///
/// Strictly first come, first served among those who put and among those who get. An item that is
/// put while a task waits for one is that task's: neither [`try_get`](Self::try_get) nor a task that
/// comes later gets it in between. If the waiter is cancelled or dropped before it runs, the next
/// one has the item; nothing is lost, and the order stays.
///
/// A bounded queue makes those who put wait while it is full, which keeps a fast producer from
/// filling the memory. [`close`](Self::close) ends it, and [`join`](Self::join) waits until
/// everything that was put is done. To share it, put it into an [`Rc`](std::rc::Rc); for a queue
/// that ends when its users are gone, there is [`channel`](crate::hosted::channel).
///
/// [`hosted::LifoQueue`](crate::hosted::LifoQueue) and
/// [`hosted::PriorityQueue`](crate::hosted::PriorityQueue) are this type with another buffer `B`.
/// Counterpart: `asyncio.Queue`, whose items may be taken away between the wake and the run.
///
/// # Examples
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// use ringloop_sync::{Queue, TryPutError};
///
/// let queue = Queue::bounded(2);
/// # let mut cx = Context::from_waker(Waker::noop());
/// # let mut task = pin!(async {
/// queue.put("wash").await.unwrap();
/// queue.put("dry").await.unwrap();
/// assert_eq!(queue.try_put("store"), Err(TryPutError::Full("store")));
/// assert_eq!(queue.get().await, Ok("wash"));
/// queue.close();
/// while let Some(item) = queue.next().await {
///     assert_eq!(item, "dry");
/// }
/// # });
/// # assert!(task.as_mut().poll(&mut cx).is_ready());
/// ```
#[doc(alias("asyncio.Queue", "mpmc"))]
pub struct Queue<T, H, B = VecDeque<T>> {
    exchange: Exchange<T, B>,
    /// How many items were got as jobs and are not done.
    jobs: Cell<usize>,
    joiners: WaitList,
    host: PhantomData<fn() -> H>,
}

impl<T, H: Host, B: Buffer<T>> Queue<T, H, B> {
    /// Makes a queue in which at most `capacity` items wait.
    ///
    /// Memory is allocated as items come, so a huge capacity costs nothing; `usize::MAX` is no
    /// limit. With a capacity of zero every put is a rendezvous: it waits until its item is taken.
    /// (For asyncio, a `maxsize` of zero is no limit.)
    ///
    /// The queue holds more than its capacity if an item was handed to a task that is dropped
    /// before it takes it, and nobody else waits for one.
    #[must_use]
    pub const fn bounded(capacity: usize) -> Self {
        Self {
            exchange: Exchange::new(capacity),
            jobs: Cell::new(0),
            joiners: WaitList::new(),
            host: PhantomData,
        }
    }

    /// Makes a queue in which any number of items wait.
    ///
    /// A put never waits, so nothing slows down who puts faster than others get.
    #[must_use]
    pub const fn unbounded() -> Self {
        Self::bounded(usize::MAX)
    }

    /// Puts an item into the queue, waiting until there is room.
    ///
    /// The put has happened as soon as the item has its place, which may be before the task runs
    /// again.
    ///
    /// # Errors
    ///
    /// Gives the item back if the queue is [closed](Self::close), or if the wait is cancelled, on a
    /// [host](Host) with cancellation.
    ///
    /// # Panics
    ///
    /// If the comparison of two items of a priority queue does, or uses the queue. The queue is whole
    /// afterwards, but their order may not be the right one.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: cancelled before there was room, it gives the item back, and dropped, it drops
    /// the item.
    #[track_caller]
    #[inline]
    pub fn put(&self, item: T) -> Put<'_, T, H, B> {
        Put::new(self, item, Location::caller())
    }

    /// Puts an item into the queue if it need not wait.
    ///
    /// # Errors
    ///
    /// Gives the item back if there is no room, or the queue is [closed](Self::close).
    ///
    /// # Panics
    ///
    /// As [`put`](Self::put).
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "put_nowait")]
    #[inline]
    pub fn try_put(&self, item: T) -> Result<(), TryPutError<T>> {
        self.exchange.try_put(item)
    }

    /// Takes the item whose turn it is, waiting until there is one.
    ///
    /// For [`join`](Self::join) the item is done by that; [`get_job`](Self::get_job) says when.
    ///
    /// # Errors
    ///
    /// That the queue is [closed](Self::close) and nothing is left in it, or, on a [host](Host)
    /// with cancellation, why the wait was cancelled.
    ///
    /// # Panics
    ///
    /// As [`put`](Self::put); the item is lost then.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled, it leaves its place in the line, or passes the item on
    /// that it was given.
    #[track_caller]
    #[inline]
    pub fn get(&self) -> Get<'_, T, H, B> {
        Get::new(self, Location::caller())
    }

    /// Takes the item whose turn it is if it need not wait.
    ///
    /// # Errors
    ///
    /// That there is no item, or none that is not on its way to somebody, or that the queue is
    /// [closed](Self::close) and nothing is left in it.
    ///
    /// # Panics
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "get_nowait")]
    #[inline]
    pub fn try_get(&self) -> Result<T, TryGetError> {
        let ends = Finally::new(|| self.end_joins_if_idle());
        let item = self.exchange.try_get();
        ends.run();
        item
    }

    /// Takes the item whose turn it is as a [`Job`], waiting until there is one.
    ///
    /// As long as the job exists, [`join`](Self::join) waits. Counterpart: `asyncio.Queue.get`
    /// with the `task_done` that follows it.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    ///
    /// # Panics
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use std::task::{Context, Poll, Waker};
    /// use ringloop_sync::Queue;
    ///
    /// let queue = Queue::unbounded();
    /// # let mut cx = Context::from_waker(Waker::noop());
    /// let worker = async {
    ///     let mut sum = 0;
    ///     while let Some(job) = queue.next_job().await {
    ///         sum += *job;
    ///     }
    ///     assert_eq!(sum, 6);
    /// };
    /// let boss = async {
    ///     for n in 1..=3 {
    ///         queue.put(n).await.unwrap();
    ///     }
    ///     queue.join().await;
    ///     queue.close();
    /// };
    /// # let mut both = pin!(ringloop_core::future::join(worker, boss));
    /// # while both.as_mut().poll(&mut cx).is_pending() {}
    /// ```
    #[doc(alias = "task_done")]
    #[track_caller]
    #[inline]
    pub fn get_job(&self) -> GetJob<'_, T, H, B> {
        GetJob(self.get())
    }

    /// Takes the item whose turn it is as a [`Job`] if it need not wait.
    ///
    /// # Errors
    ///
    /// As [`try_get`](Self::try_get).
    ///
    /// # Panics
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn try_get_job(&self) -> Result<Job<'_, T>, TryGetError> {
        let unfinished = Unfinished::begin(self);
        let item = self.exchange.try_get()?;
        Ok(Job::new(item, unfinished))
    }

    /// Takes the item whose turn it is, waiting until there is one. `None`: the queue is
    /// [closed](Self::close) and nothing is left in it.
    ///
    /// [`get`](Self::get), in the form of an iteration: `while let Some(item) = queue.next().await`,
    /// with a `?` after it on a [host](Host) with cancellation.
    ///
    /// # Errors
    ///
    /// On such a host, why the wait was cancelled.
    ///
    /// # Panics
    ///
    /// As [`get`](Self::get).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    #[doc(alias = "__anext__")]
    #[track_caller]
    #[inline]
    pub fn next(&self) -> GetNext<'_, T, H, B> {
        GetNext(self.get())
    }

    /// Takes the item whose turn it is as a [`Job`], waiting until there is one. `None`: the queue is
    /// [closed](Self::close) and nothing is left in it.
    ///
    /// [`get_job`](Self::get_job), in the form of an iteration, as [`next`](Self::next) is for
    /// [`get`](Self::get): the loop of a worker is `while let Some(job) = queue.next_job().await`,
    /// with a `?` after it on a [host](Host) with cancellation, which a `while let Ok` would take for
    /// the end of the queue.
    ///
    /// # Errors
    ///
    /// On such a host, why the wait was cancelled.
    ///
    /// # Panics
    ///
    /// As [`put`](Self::put).
    ///
    /// # Cancel safety
    ///
    /// As [`get`](Self::get).
    #[track_caller]
    #[inline]
    pub fn next_job(&self) -> GetNextJob<'_, T, H, B> {
        GetNextJob(self.get_job())
    }

    /// Waits until everything that was put is done.
    ///
    /// An item is done when it was [got](Self::get), or, got as a [job](Self::get_job), when the
    /// job is dropped. What waits for room is not put yet. Does not wait if there is nothing to
    /// wait for; items that are put after everything was done are not waited for.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait was cancelled.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    pub fn join(&self) -> JoinQueue<'_, T, H, B> {
        JoinQueue::new(self, Location::caller())
    }

    /// Ends the queue: puts fail from now on, and gets when nothing is left in it.
    ///
    /// Those who wait for room get their items back. Those who wait for an item are told when it is
    /// certain that there is none for them. Does nothing if the queue is closed already.
    /// Counterpart: `asyncio.Queue.shutdown`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_sync::{Queue, TryGetError, TryPutError};
    ///
    /// let queue = Queue::unbounded();
    /// queue.try_put(1).unwrap();
    /// queue.close();
    /// assert_eq!(queue.try_put(2), Err(TryPutError::Closed(2)));
    /// assert_eq!(queue.try_get(), Ok(1));
    /// assert_eq!(queue.try_get(), Err(TryGetError::Closed));
    /// ```
    #[doc(alias = "shutdown")]
    pub fn close(&self) {
        if !self.is_closed() {
            self.exchange.close();
        }
    }

    /// Ends the queue and returns what is left in it, in the order in which it would have come out.
    ///
    /// That includes what was on its way to those who waited and have not run yet; they are told that
    /// the queue is closed, as all who wait. Those who wait for room get their items back. For
    /// [`join`](Self::join) the items are done. Counterpart: `asyncio.Queue.shutdown(immediate=True)`.
    ///
    /// # Panics
    ///
    /// As [`put`](Self::put).
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_sync::{PriorityQueue, TryGetError};
    ///
    /// let queue = PriorityQueue::unbounded();
    /// for n in [2, 3, 1] {
    ///     queue.try_put(n).unwrap();
    /// }
    /// assert_eq!(queue.close_now(), [1, 2, 3]);
    /// assert_eq!(queue.try_get(), Err(TryGetError::Closed));
    /// ```
    #[doc(alias = "shutdown")]
    #[must_use = "`close` leaves the items to those who get them"]
    pub fn close_now(&self) -> Vec<T> {
        let ends = Finally::new(|| self.end_joins_if_idle());
        let buffer = self.exchange.close_now();
        ends.run();
        buffer.into_items()
    }

    /// Returns whether the queue was [closed](Self::close). There may be items left in it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.exchange.is_closed()
    }

    /// Returns how many items are in the queue that are not on their way to somebody.
    #[doc(alias = "qsize")]
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.exchange.free()
    }

    /// Returns whether there is no item that is not on its way to somebody.
    #[doc(alias = "empty")]
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether a put would wait.
    #[doc(alias = "full")]
    #[must_use]
    pub fn is_full(&self) -> bool {
        !self.exchange.has_room()
    }

    /// Returns how many items may wait in the queue. `None`: any number.
    #[doc(alias = "maxsize")]
    #[must_use]
    pub const fn capacity(&self) -> Option<usize> {
        self.exchange.capacity()
    }

    /// Returns how things stand.
    #[must_use]
    pub fn statistics(&self) -> QueueStatistics {
        QueueStatistics {
            len: self.len(),
            capacity: self.capacity(),
            is_closed: self.is_closed(),
            waiting_getters: self.exchange.getters.len(),
            waiting_putters: self.exchange.putters.len(),
            unfinished: self.exchange.len_with_reserved() + self.jobs.get(),
        }
    }

    #[inline]
    fn is_idle(&self) -> bool {
        self.jobs.get() == 0 && self.exchange.len_with_reserved() == 0
    }

    #[inline]
    fn end_joins_if_idle(&self) {
        if !self.joiners.is_empty() && self.is_idle() {
            self.joiners.wake_all();
        }
    }
}

impl<T, H: Host, B: Buffer<T>> Jobs for Queue<T, H, B> {
    #[inline]
    fn begin(&self) {
        self.jobs.update(|jobs| jobs + 1);
    }

    #[inline]
    fn end(&self) {
        self.jobs.update(|jobs| jobs - 1);
        self.end_joins_if_idle();
    }
}

impl<T, H: Host, B: Buffer<T>> fmt::Debug for Queue<T, H, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct(B::NAME);
        self.exchange.describe(&mut debug);
        debug.field("unfinished", &self.statistics().unfinished);
        debug.finish()
    }
}

/// A queue between the tasks of one thread; the last item in is the first out.
///
/// All else is as for [`Queue`]. Counterpart: `asyncio.LifoQueue`.
pub type LifoQueue<T, H> = Queue<T, H, Vec<T>>;

/// A queue between the tasks of one thread; the smallest item is the first out, and among equals
/// the one that came first.
///
/// All else is as for [`Queue`]. A task that waited gets the item that is the smallest when it
/// runs. [`std::cmp::Reverse`] turns the order around. Counterpart: `asyncio.PriorityQueue`, which
/// gives equals in any order.
pub type PriorityQueue<T, H> = Queue<T, H, Heap<T>>;

/// How things stand with a queue; see [`Queue::statistics`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueStatistics {
    /// How many items are in it that are not on their way to somebody.
    pub len: usize,
    /// How many may be; `None` is any number.
    pub capacity: Option<usize>,
    /// Whether it was closed.
    pub is_closed: bool,
    /// How many wait for an item.
    pub waiting_getters: usize,
    /// How many wait for room.
    pub waiting_putters: usize,
    /// How many items are not done, for [`Queue::join`].
    pub unfinished: usize,
}

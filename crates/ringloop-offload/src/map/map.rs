//! The stream of the results.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use ringloop_core::panics::Panics;

use crate::executor::Executor;
use crate::job::Name;

use super::progress::{MapMeter, MapProgress};
use super::results::Batch;
use super::runners::Runners;
use super::shared::Shared;
use super::source::Source;

/// Runs `f` over `items` on `executor`, at most `limit` at a time, and returns a stream of the
/// results.
///
/// The items are pulled by whoever polls the stream, on that thread and within the poll, so the
/// iterator may borrow and need not be `Send`; it should not block. The first poll pulls the first
/// items. Results come in the order of the items, unless they are
/// [`unordered`](Map::unordered). A panic of `f` is the result of that item; the others go on.
///
/// It is made for many items: up to `limit` jobs on `executor` take items until there are none,
/// and the consumer is woken for what it waits for, not for each item. As long as there are items,
/// these jobs keep their threads. A `limit` below the number of threads leaves room for others.
///
/// An executor is also a reference or an `Arc` of one, and a handle like
/// [`PoolHandle`](crate::PoolHandle).
///
/// Counterpart: `concurrent.futures.Executor.map` of Python.
///
/// # Panics
///
/// If `limit` is 0.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait. For the stream see [`Map`].
///
/// # Examples
///
/// ```
/// # use std::{future::Future, pin::pin, sync::Arc, task::{Context, Poll, Wake}, thread};
/// # struct Unpark(thread::Thread);
/// # impl Wake for Unpark { fn wake(self: Arc<Self>) { self.0.unpark() } }
/// # fn block_on<F: Future>(future: F) -> F::Output {
/// #     let mut future = pin!(future);
/// #     let waker = Arc::new(Unpark(thread::current())).into();
/// #     loop {
/// #         match future.as_mut().poll(&mut Context::from_waker(&waker)) {
/// #             Poll::Ready(output) => return output,
/// #             Poll::Pending => thread::park(),
/// #         }
/// #     }
/// # }
/// use ringloop_offload::{CpuPool, map_on};
///
/// let pool = CpuPool::new();
/// # block_on(async {
/// let squares = map_on(&pool, 2, 1..=4, |n| n * n).collect().await?;
/// assert_eq!(squares, [1, 4, 9, 16]);
///
/// let mut lengths = map_on(&pool, 2, ["one", "three"], str::len).unordered();
/// let mut sum = 0;
/// while let Some(length) = lengths.next().await {
///     sum += length?;
/// }
/// assert_eq!(sum, 8);
/// # Ok::<(), ringloop_offload::OffloadError>(())
/// # })?;
/// # Ok::<(), ringloop_offload::OffloadError>(())
/// ```
#[doc(alias("par_iter", "buffered", "buffer_unordered", "imap"))]
#[track_caller]
pub fn map_on<E, I, F, T>(executor: E, limit: usize, items: I, f: F) -> Map<E, I::IntoIter, T>
where
    E: Executor,
    I: IntoIterator<Item: Send + 'static>,
    F: Fn(I::Item) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    assert!(limit > 0, "a limit of 0 would run nothing");
    Map {
        shared: Shared::new(f),
        batch: Batch::new(),
        source: Source::new(items.into_iter()),
        runners: Runners::new(executor, limit, Location::caller()),
        buffer: None,
        outstanding: 0,
    }
}

/// The results of a closure over many items. Made by [`map_on`].
///
/// An item whose closure panicked, or for which no runner could be started, has an error as its
/// result; the others are not affected.
///
/// # Cancel safety
///
/// [`next`](Self::next) and [`poll_next`](Self::poll_next) are cancel safe: dropped before it
/// completes, no result is lost. Dropping the map itself drops the items that are not being run,
/// at once and on this thread; those that run see their [`Interrupt`](crate::Interrupt) requested,
/// run to their end, and their results are dropped on their threads.
#[must_use = "a map does nothing unless it is polled"]
pub struct Map<E, I: Iterator, T> {
    pub(super) shared: Arc<Shared<I::Item, T>>,
    /// Results that were taken from the shared state.
    pub(super) batch: Batch<T>,
    pub(super) source: Source<I>,
    pub(super) runners: Runners<E>,
    pub(super) buffer: Option<usize>,
    /// Items that were pulled and whose result was not yielded.
    pub(super) outstanding: usize,
}

impl<E, I, T> Map<E, I, T>
where
    E: Executor,
    I: Iterator<Item: Send + 'static>,
    T: Send + 'static,
{
    /// Yields the results in the order of the items, which is the default.
    ///
    /// # Panics
    ///
    /// If the map has been polled.
    #[track_caller]
    pub fn ordered(self) -> Self {
        self.with_order(true)
    }

    /// Yields the results as they come.
    ///
    /// # Panics
    ///
    /// If the map has been polled.
    #[track_caller]
    pub fn unordered(self) -> Self {
        self.with_order(false)
    }

    #[track_caller]
    fn with_order(self, is_ordered: bool) -> Self {
        assert!(self.progress().pulled == 0, "the map has begun");
        self.shared.set_ordered(is_ordered);
        self
    }

    /// Bounds the items that are pulled and whose results are not yielded.
    ///
    /// When there are so many, no more are pulled until a result is taken: a consumer who is slow
    /// slows the work down. No more than that are run at a time, either. By default it is twice
    /// the limit, at least 64 and at most 4096. [`collect`](Self::collect), which takes every
    /// result at once, pulls at least 512 ahead unless told otherwise.
    ///
    /// # Panics
    ///
    /// If `items` is 0.
    #[track_caller]
    pub fn buffer(mut self, items: usize) -> Self {
        assert!(items > 0, "a buffer of 0 would hold nothing");
        self.buffer = Some(items);
        self
    }

    /// Names the jobs that run the items, for reports.
    ///
    /// Without a name, the place where the map was made stands for it.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.runners.name = Some(name.into().into());
        self
    }

    /// Returns how far the map has come.
    pub fn progress(&self) -> MapProgress {
        self.shared.counters.progress()
    }

    /// Returns something that tells how far the map has come, also while it is
    /// [collected](Self::collect).
    #[must_use]
    pub fn meter(&self) -> MapMeter {
        MapMeter::new(&self.shared.counters)
    }
}

impl<E, I: Iterator, T> Drop for Map<E, I, T> {
    fn drop(&mut self) {
        let (input, mut results, waker) = self.shared.close();
        // Those that are queued never run, and those that run are asked to stop.
        let runners = self.runners.take();
        let mut panics = Panics::default();
        runners
            .into_iter()
            .for_each(|runner| panics.catch(|| drop(runner)));
        panics.catch(|| drop(waker));
        input
            .into_iter()
            .for_each(|item| panics.catch(|| drop(item)));
        while let Some(outcome) = self.batch.pop().or_else(|| results.pop()) {
            panics.catch(|| drop(outcome));
        }
        panics.resume();
    }
}

impl<E, I: Iterator, T> fmt::Debug for Map<E, I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map")
            .field("name", &self.runners.name.as_ref().map(Name::as_str))
            .field("location", &format_args!("{}", self.runners.location))
            .field("limit", &self.runners.limit)
            .field("progress", &self.shared.counters.progress())
            .finish_non_exhaustive()
    }
}

impl<E, I: Iterator, T> Unpin for Map<E, I, T> {}

//! One closure over many items, as a stream inside the scopes of its task.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;

use ringloop_offload::{
    Executor, MapMeter, MapProgress, OffloadError, PoolHandle, map_on as map_plainly,
};

use super::luggage::Luggage;
use super::offloaded::read;
use super::pools;
use super::watched::Watched;

/// Runs `f` on each of the `items`, on the pool for blocking work, at most `limit` at a time, and
/// returns a stream of the results.
///
/// For work that waits: files to read, addresses to look up. [`cpu_map`] is for work that computes,
/// [`map_on`] for an executor of one's own.
///
/// The items are pulled as the stream is asked for results, some ahead; the iterator runs on the
/// loop's thread. The results come in the order of the items, unless they are
/// [`unordered`](Map::unordered). It is made for many items: up to `limit` jobs take them one after
/// the other, and the task is woken for what it waits for, not for each item. Counterpart:
/// `concurrent.futures.Executor.map`.
///
/// # Panics
///
/// Outside of a runtime and of what it has offloaded, and if `limit` is 0.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait. For the stream see [`Map`].
///
/// # Examples
///
/// ```
/// use ringloop::offload;
///
/// # ringloop::run(async {
/// let mut sizes = offload::map(["/etc/passwd", "/proc/self/comm"], 8, |path| {
///     std::fs::read(path).map(|bytes| bytes.len())
/// });
/// let mut sum = 0;
/// while let Some(size) = sizes.next().await {
///     sum += size??;
/// }
/// assert!(sum > 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("buffered", "buffer_unordered", "imap"))]
#[track_caller]
pub fn map<I, F, T>(items: I, limit: usize, f: F) -> Map<PoolHandle, I::IntoIter, T>
where
    I: IntoIterator<Item: Send + 'static>,
    F: Fn(I::Item) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    map_on(pools::current().blocking().handle(), limit, items, f)
}

/// Runs `f` on each of the `items`, on the pool for computing work, and returns a stream of the
/// results.
///
/// As [`map()`], with as many jobs as that pool has threads.
///
/// # Panics
///
/// Outside of a runtime and of what it has offloaded.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait. For the stream see [`Map`].
///
/// # Examples
///
/// ```
/// # ringloop::run(async {
/// let squares = ringloop::offload::cpu_map(1..=4_u64, |n| n * n).collect().await?;
/// assert_eq!(squares, [1, 4, 9, 16]);
/// # Ok::<(), ringloop::offload::OffloadError>(())
/// # })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "par_iter")]
#[track_caller]
pub fn cpu_map<I, F, T>(items: I, f: F) -> Map<PoolHandle, I::IntoIter, T>
where
    I: IntoIterator<Item: Send + 'static>,
    F: Fn(I::Item) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    let pools = pools::current();
    let limit = pools.cpu().stats().threads_max;
    map_on(pools.cpu().handle(), limit, items, f)
}

/// Runs `f` on each of the `items` on any executor, at most `limit` at a time, and returns a stream
/// of the results.
///
/// As [`map()`].
///
/// # Panics
///
/// If `limit` is 0.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait. For the stream see [`Map`].
#[track_caller]
pub fn map_on<E, I, F, T>(executor: E, limit: usize, items: I, f: F) -> Map<E, I::IntoIter, T>
where
    E: Executor,
    I: IntoIterator<Item: Send + 'static>,
    F: Fn(I::Item) -> T + Send + Sync + 'static,
    T: Send + 'static,
{
    let luggage = Luggage::pack();
    let work = move |item| luggage.clone().run(|| f(item));
    Map {
        map: map_plainly(executor, limit, items, work),
    }
}

/// The results of a closure over many items, in a stream. Made by [`map()`], [`cpu_map`] and
/// [`map_on`].
///
/// An item whose closure panicked, or for which there was no thread, has an error as its result; the
/// others are not affected.
///
/// # Cancel safety
///
/// Dropping the map drops the items that are not being run. Those that are see their
/// [`Interrupt`](super::Interrupt) requested, run to their end, and their results are dropped there.
#[must_use = "a map does nothing unless its results are asked for"]
pub struct Map<E, I: Iterator, T> {
    map: ringloop_offload::Map<E, I, T>,
}

impl<E, I, T> Map<E, I, T>
where
    E: Executor,
    I: Iterator<Item: Send + 'static>,
    T: Send + 'static,
{
    /// Has the results come in the order of the items, which is the default.
    pub fn ordered(self) -> Self {
        Self {
            map: self.map.ordered(),
        }
    }

    /// Has the results come as they are made.
    pub fn unordered(self) -> Self {
        Self {
            map: self.map.unordered(),
        }
    }

    /// Sets how many items may be under way: pulled from the iterator, and their results not taken.
    pub fn buffer(self, items: usize) -> Self {
        Self {
            map: self.map.buffer(items),
        }
    }

    /// Names the jobs in reports.
    pub fn name(self, name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            map: self.map.name(name),
        }
    }

    /// Waits for the next result. `None`: there are no more.
    ///
    /// # Errors
    ///
    /// That of one item: its closure panicked, or there was no thread for it. Or
    /// [that of this wait](OffloadError::is_cancelled), which was cancelled. In each case the next
    /// call goes on.
    ///
    /// # Panics
    ///
    /// If the iterator does.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: cancelled or dropped before it completes, it had no effect but that items may
    /// have been started. A result that comes later waits for the next call.
    #[expect(
        clippy::should_implement_trait,
        reason = "the name that streams use, too"
    )]
    #[track_caller]
    pub fn next(&mut self) -> impl Future<Output = Option<Result<T, OffloadError>>> {
        let next = Watched::new(self.map.next());
        async move {
            match next.await {
                Ok(result) => Some(result?.map_err(read)),
                Err(cancelled) => Some(Err(OffloadError::cancelled_by(cancelled))),
            }
        }
    }

    /// Waits for all results.
    ///
    /// The task is woken when there is room for many more items, and at the end: a thousand
    /// results that come together cost one wake.
    ///
    /// # Errors
    ///
    /// The first error of an item, as soon as it is there, or that of this wait, which was
    /// cancelled. The map is dropped then.
    ///
    /// # Panics
    ///
    /// If the iterator does.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: cancelled or dropped before it completes, the map is dropped, and all results
    /// with it.
    #[track_caller]
    pub fn collect(self) -> impl Future<Output = Result<Vec<T>, OffloadError>> {
        let all = Watched::new(self.map.collect());
        async move {
            match all.await {
                Ok(results) => results.map_err(read),
                Err(cancelled) => Err(OffloadError::cancelled_by(cancelled)),
            }
        }
    }

    /// Returns how far the map has come.
    pub fn progress(&self) -> MapProgress {
        self.map.progress()
    }

    /// Returns something that tells how far the map has come, also while it is
    /// [collected](Self::collect), and on other threads.
    #[must_use]
    pub fn meter(&self) -> MapMeter {
        self.map.meter()
    }
}

impl<E, I: Iterator, T> fmt::Debug for Map<E, I, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.map.fmt(f)
    }
}

//! The stream of the results.

use std::borrow::Cow;
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::panic::{self, Location};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker, ready};

use ringloop_core::panics::Panics;

use crate::contain::{Payload, catch, drop_quietly};
use crate::error::OffloadError;
use crate::executor::Executor;
use crate::job::{Name, Outcome};
use crate::offload::{Offload, hand_over_at};

use super::progress::{MapMeter, MapProgress};
use super::results::Batch;
use super::runner::Runner;
use super::shared::{Look, Shared, Want};

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
        runners: Vec::new(),
        shared: Shared::new(f),
        batch: Batch::new(),
        items: Some(items.into_iter()),
        pulled: Vec::new(),
        executor,
        limit,
        buffer: None,
        outstanding: 0,
        refusal: None,
        location: Location::caller(),
        name: None,
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
    /// The jobs that run items, with some that have ended.
    runners: Vec<Offload<()>>,
    shared: Arc<Shared<I::Item, T>>,
    /// Results that were taken from the shared state.
    batch: Batch<T>,
    /// `None` when it has ended.
    items: Option<I>,
    /// Items on their way from the iterator to the shared state; empty between calls.
    pulled: Vec<I::Item>,
    executor: E,
    limit: usize,
    buffer: Option<usize>,
    /// Items that were pulled and whose result was not yielded.
    outstanding: usize,
    /// Why a runner was not run, if no item has been told.
    refusal: Option<OffloadError>,
    location: &'static Location<'static>,
    name: Option<Name>,
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
        self.name = Some(name.into().into());
        self
    }

    /// Waits for the next result. `None`: there are no more.
    ///
    /// # Errors
    ///
    /// That of one item: its closure panicked, or no runner could be started for it. The next call
    /// goes on with the others.
    ///
    /// # Panics
    ///
    /// If the iterator does. It is taken to have ended then; what was pulled before is run, and the
    /// next call goes on.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a result that comes after the future was dropped waits for the next call.
    pub async fn next(&mut self) -> Option<Result<T, OffloadError>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Returns the next result, or wakes the task when there is one.
    ///
    /// # Panics
    ///
    /// As [`next`](Self::next).
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, OffloadError>>> {
        let buffer = self.buffer_or(BUFFER_MIN);
        let room = buffer.saturating_sub(self.outstanding);
        if room >= self.room_wanted(buffer) {
            self.pull(room);
        }
        loop {
            if let Some(outcome) = self.pop() {
                return Poll::Ready(Some(outcome));
            }
            // Before it sleeps, the consumer fills up.
            self.pull(buffer.saturating_sub(self.outstanding));
            match self.look(Want::Next, cx.waker()) {
                Look::Results => {}
                Look::Stuck => ready!(self.poll_unstick(cx)),
                Look::Empty if self.items.is_none() => return Poll::Ready(None),
                Look::Empty => {}
                Look::Asleep(_) => return Poll::Pending,
                // What `collect` asks for.
                Look::Error(error) => return Poll::Ready(Some(Err(error))),
                Look::Room(room) => self.pull(room),
            }
        }
    }

    /// Waits until `results` has all results, or one item has an error.
    pub(super) fn poll_all(
        &mut self,
        cx: &mut Context<'_>,
        results: &mut Vec<T>,
    ) -> Poll<Result<(), OffloadError>> {
        let buffer = self.buffer_or(BUFFER_MIN_ALL);
        let mut has_pulled = false;
        loop {
            while let Some(outcome) = self.pop() {
                results.push(outcome?);
            }
            let room = self.room_wanted(buffer);
            let want = match self.items {
                Some(_) => Want::Room { buffer, room },
                None => Want::All,
            };
            match self.look(want, cx.waker()) {
                Look::Results => {}
                Look::Error(error) => return Poll::Ready(Err(error)),
                Look::Stuck => ready!(self.poll_unstick(cx)),
                Look::Room(room) if !has_pulled => {
                    has_pulled = true;
                    self.pull(room);
                }
                Look::Room(_) => {
                    // The runners are faster than the iterator. Other tasks want their turn, too.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Look::Empty => return Poll::Ready(Ok(())),
                Look::Asleep(_) => return Poll::Pending,
            }
        }
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

    fn pop(&mut self) -> Option<Outcome<T>> {
        let outcome = self.batch.pop()?;
        self.outstanding -= 1;
        let yielded = &self.shared.counters.yielded;
        yielded.store(yielded.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        Some(outcome)
    }

    fn look(&mut self, want: Want, waker: &Waker) -> Look {
        debug_assert!(self.batch.is_empty());
        self.shared.look(&mut self.batch, want, waker.clone())
    }

    /// Pulls up to `room` items and sees to it that somebody runs them.
    fn pull(&mut self, room: usize) {
        let panicked = self.pull_items(room);
        let count = self.pulled.len();
        if count > 0 {
            let pulled = &self.shared.counters.pulled;
            pulled.store(
                pulled.load(Ordering::Relaxed) + count as u64,
                Ordering::Relaxed,
            );
            self.outstanding += count;
            self.shared.feed(&mut self.pulled);
            self.start_runners();
        }
        if let Some(payload) = panicked {
            panic::resume_unwind(payload);
        }
    }

    /// Pulls up to `room` items, and gives the iterator up when it has ended or panics.
    fn pull_items(&mut self, room: usize) -> Option<Payload> {
        let items = self.items.as_mut()?;
        let pulled = &mut self.pulled;
        let ended = catch(|| {
            while pulled.len() < room {
                let Some(item) = items.next() else {
                    return true;
                };
                pulled.push(item);
            }
            false
        });
        let mut panics = match ended {
            Ok(false) => return None,
            Ok(true) => None,
            Err(payload) => Some(payload),
        };
        let items = self.items.take();
        if let Err(payload) = catch(move || drop(items)) {
            match panics {
                None => panics = Some(payload),
                Some(_) => drop_quietly(payload),
            }
        }
        panics
    }

    /// Starts as many runners as find something to do.
    fn start_runners(&mut self) {
        let most = self.limit.min(self.outstanding);
        if self.runners.len() > most.saturating_mul(2) {
            self.reap_runners(&mut Context::from_waker(Waker::noop()));
        }
        for _ in 0..most {
            if !self.shared.recruit(self.limit) {
                break;
            }
            let runner = Runner::new(&self.shared);
            let name = self.name.clone();
            let mut offload =
                hand_over_at(self.location, &self.executor, name, move || runner.run());
            match Pin::new(&mut offload).poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => self.runners.push(offload),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => {
                    self.refusal = Some(error);
                    break;
                }
            }
        }
    }

    /// No runner is left, and there are items. Tries to start one, or gives the first item the
    /// error.
    fn poll_unstick(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.refusal.is_none() && self.reap_runners(cx) && self.refusal.is_none() {
            // One is just being dropped by its executor, and says why in a moment.
            return Poll::Pending;
        }
        let error = self.refusal.take();
        let error = error.unwrap_or_else(|| OffloadError::rejected(None));
        if let Ok(item) = self.shared.fail_first(error) {
            drop_quietly(item);
        }
        self.start_runners();
        Poll::Ready(())
    }

    /// Forgets the runners that have ended, and keeps the reason of one that was not run. Returns
    /// whether some have not ended; they wake the task.
    fn reap_runners(&mut self, cx: &mut Context<'_>) -> bool {
        let refusal = &mut self.refusal;
        self.runners
            .retain_mut(|offload| match Pin::new(offload).poll(cx) {
                Poll::Pending => true,
                Poll::Ready(Ok(())) => false,
                Poll::Ready(Err(error)) => {
                    *refusal = Some(error);
                    false
                }
            });
        !self.runners.is_empty()
    }

    fn buffer_or(&self, min: usize) -> usize {
        let by_limit = self.limit.saturating_mul(2).clamp(min, BUFFER_MAX);
        self.buffer.unwrap_or(by_limit)
    }

    /// How much room is worth a pull: half of what waits while the runners are busy.
    fn room_wanted(&self, buffer: usize) -> usize {
        (buffer.saturating_sub(self.limit) / 2).max(1)
    }
}

impl<E, I: Iterator, T> Drop for Map<E, I, T> {
    fn drop(&mut self) {
        let (input, mut results, waker) = self.shared.close();
        // Those that are queued never run, and those that run are asked to stop.
        let runners = mem::take(&mut self.runners);
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
            .field("name", &self.name.as_ref().map(Name::as_str))
            .field("location", &format_args!("{}", self.location))
            .field("limit", &self.limit)
            .field("progress", &self.shared.counters.progress())
            .finish_non_exhaustive()
    }
}

impl<E, I: Iterator, T> Unpin for Map<E, I, T> {}

const BUFFER_MIN: usize = 64;
const BUFFER_MIN_ALL: usize = 512;
const BUFFER_MAX: usize = 4096;

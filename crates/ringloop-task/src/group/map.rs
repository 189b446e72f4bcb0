//! A function, run on many items by the tasks of a pool.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::iter::Fuse;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::pool::{Pool, spawn_in};
use super::slots::Line;
use crate::cancel::{CancelWatch, Reason, ReasonKind, Request};
use crate::task::{JoinError, JoinHandle};

/// The results of [`Pool::map`] and [`Pool::map_unordered`].
///
/// Its drop asks what is running to cancel; the group waits for that.
#[must_use = "a map starts nothing until its results are asked for"]
pub struct Map<I, W, U, E>
where
    I: Iterator,
{
    pool: Pool<E>,
    items: Fuse<I>,
    work: W,
    order: Order,
    /// What was started and not taken, in the order of the items.
    started: VecDeque<(Number, JoinHandle<U>)>,
    next_number: Number,
    has_ended: bool,
    arrivals: Rc<Arrivals>,
    at: &'static Location<'static>,
}

/// In which order the results come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Items,
    Completion,
}

/// The number of an item.
type Number = u64;

/// Items whose work has come to its end, in the order of that, and who waits for the next.
#[derive(Default)]
struct Arrivals {
    numbers: RefCell<VecDeque<Number>>,
    waiter: Cell<Option<Waker>>,
}

/// Tells the arrival of an item by its drop.
struct Arrival {
    arrivals: Rc<Arrivals>,
    number: Number,
}

impl Drop for Arrival {
    fn drop(&mut self) {
        self.arrivals.numbers.borrow_mut().push_back(self.number);
        if let Some(waiter) = self.arrivals.waiter.take() {
            waiter.wake();
        }
    }
}

impl<I, W, F, E> Map<I, W, F::Output, E>
where
    I: Iterator,
    W: FnMut(I::Item) -> F,
    F: Future + 'static,
    F::Output: 'static,
    E: 'static,
{
    #[track_caller]
    pub(super) fn new(pool: &Pool<E>, items: I, work: W, order: Order) -> Self {
        Self {
            pool: pool.clone(),
            items: items.fuse(),
            work,
            order,
            started: VecDeque::new(),
            next_number: 0,
            has_ended: false,
            arrivals: Rc::default(),
            at: Location::caller(),
        }
    }

    /// Returns the next result, or `None` after the last.
    ///
    /// The error in it says that the item's task was cancelled or aborted, or
    /// [has failed](JoinError::is_failed) by a panic; or that the wait itself was cancelled, after
    /// which it can be repeated.
    ///
    /// # Panics
    ///
    /// When polled outside of a running loop, and if the iterator or the function panics.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect but that items may
    /// have been started.
    #[expect(
        clippy::should_implement_trait,
        reason = "the name that streams use, too"
    )]
    #[track_caller]
    pub fn next(&mut self) -> Next<'_, I, W, F, E> {
        Next {
            line: Line::new(self.pool.slots()),
            watch: CancelWatch::new(),
            map: self,
            work: std::marker::PhantomData,
        }
    }

    /// Starts as many items as there is room for.
    fn fill(&mut self, line: &mut Line, cx: &Context<'_>) {
        while !self.has_ended && self.started.len() < self.pool.limit() {
            let Poll::Ready(slot) = line.poll(cx) else {
                return;
            };
            let Some(item) = self.items.next() else {
                self.has_ended = true;
                return;
            };
            let number = self.next_number;
            self.next_number += 1;
            let arrival = (self.order == Order::Completion).then(|| Arrival {
                arrivals: Rc::clone(&self.arrivals),
                number,
            });
            let work = (self.work)(item);
            let child = async move {
                let _arrival = arrival;
                Ok(work.await)
            };
            let handle = spawn_in(self.pool.group(), slot, self.at, child);
            self.started.push_back((number, handle));
        }
    }

    /// Takes the next result, if it is there.
    fn take(&mut self) -> Option<Result<F::Output, JoinError>> {
        let place = self.next_place()?;
        let output = self.started.get_mut(place)?.1.take_output()?;
        self.started.remove(place);
        self.arrivals.numbers.borrow_mut().pop_front();
        Some(output)
    }

    /// Returns where among the started the next result is, or will be at once.
    fn next_place(&self) -> Option<usize> {
        match self.order {
            Order::Items => Some(0),
            Order::Completion => {
                let number = *self.arrivals.numbers.borrow().front()?;
                let is_it = |(other, _): &(Number, _)| *other == number;
                self.started.iter().position(is_it)
            }
        }
    }

    /// Sees to it that `waker` is woken when the next result is there.
    fn register(&self, waker: &Waker) {
        match self.next_place().and_then(|place| self.started.get(place)) {
            Some((_, handle)) => handle.register(waker),
            None => {
                let old = self.arrivals.waiter.replace(Some(waker.clone()));
                drop(old);
            }
        }
    }
}

impl<I: Iterator, W, U, E> Drop for Map<I, W, U, E> {
    fn drop(&mut self) {
        let reason = || Reason::new(ReasonKind::Group, "the results are not wanted any more");
        for (_, handle) in self.started.drain(..) {
            handle.task().request(Request::new(reason()));
        }
    }
}

impl<I: Iterator, W, U, E> fmt::Debug for Map<I, W, U, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map")
            .field("order", &self.order)
            .field("started", &self.started.len())
            .field("has_ended", &self.has_ended)
            .finish_non_exhaustive()
    }
}

/// Waits for the next result; see [`Map::next`].
#[must_use = "futures do nothing unless awaited"]
pub struct Next<'a, I, W, F, E>
where
    I: Iterator,
    F: Future,
{
    map: &'a mut Map<I, W, F::Output, E>,
    /// Left when the wait ends, so that no slot is handed to a map that nobody asks.
    line: Line,
    watch: CancelWatch,
    work: std::marker::PhantomData<fn() -> F>,
}

impl<I, W, F, E> Future for Next<'_, I, W, F, E>
where
    I: Iterator,
    W: FnMut(I::Item) -> F,
    F: Future + 'static,
    F::Output: 'static,
    E: 'static,
{
    type Output = Option<Result<F::Output, JoinError>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let taken = this.map.take();
        let cancelled = this.watch.poll_cancelled(cx).err();
        if cancelled.is_none() {
            this.map.fill(&mut this.line, cx);
        }
        if taken.is_some() {
            return Poll::Ready(taken);
        }
        if this.map.started.is_empty() && this.map.has_ended {
            return Poll::Ready(None);
        }
        if let Some(cancelled) = cancelled {
            return Poll::Ready(Some(Err(JoinError::cancelled(None, cancelled))));
        }
        this.map.register(cx.waker());
        Poll::Pending
    }
}

impl<I: Iterator, W, F: Future, E> fmt::Debug for Next<'_, I, W, F, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next")
            .field("map", &self.map)
            .finish_non_exhaustive()
    }
}

//! Comparisons and wakers that panic: the queue is whole afterwards, and nobody sleeps on.

use std::cell::Cell;
use std::cmp::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;

use ringloop_sync::GetError;

use super::{PriorityQueue, Queue};
use crate::support::Task;
use crate::wakers::{Act, with_hook};

/// An item that no other can be compared with as long as `IS_FRAGILE` says so.
#[derive(Debug, PartialEq, Eq)]
struct Fragile(u32);

thread_local! {
    static IS_FRAGILE: Cell<bool> = const { Cell::new(false) };
}

impl Ord for Fragile {
    fn cmp(&self, other: &Self) -> Ordering {
        assert!(!IS_FRAGILE.get(), "a comparison's panic");
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Fragile {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Runs `body` while comparisons panic, which it has to run into.
#[track_caller]
fn breaks<R>(body: impl FnOnce() -> R) {
    IS_FRAGILE.set(true);
    let result = catch_unwind(AssertUnwindSafe(body));
    IS_FRAGILE.set(false);
    assert!(result.is_err(), "the panic goes on");
}

fn full_of(items: impl IntoIterator<Item = u32>) -> PriorityQueue<Fragile> {
    let queue = PriorityQueue::unbounded();
    for item in items {
        assert!(queue.try_put(Fragile(item)).is_ok());
    }
    queue
}

/// The getter whose turn it was has nothing; the others are as before.
#[test]
fn a_comparison_that_panics_as_an_item_is_taken_takes_one_reservation() {
    let queue = PriorityQueue::unbounded();
    let mut getters = [(); 4].map(|()| Task::new(queue.get()));
    getters.iter_mut().for_each(Task::waits);
    for item in [1, 2, 3, 4] {
        queue.try_put(Fragile(item)).unwrap();
    }
    let [first, others @ ..] = &mut getters;
    breaks(|| first.poll());
    assert_eq!((queue.len(), queue.statistics().unfinished), (0, 3));
    assert!(queue.try_get().is_err());
    for other in others {
        assert!(other.ends().is_ok());
    }
    queue.try_put(Fragile(5)).unwrap();
    assert_eq!(queue.len(), 1);
    assert_eq!(queue.try_get(), Ok(Fragile(5)));
}

/// The item is in the queue, so the one who waits for it gets it.
#[test]
fn a_comparison_that_panics_as_an_item_is_put_keeps_nobody_waiting() {
    let queue = full_of([]);
    let mut first = Task::new(queue.get());
    let mut second = Task::new(queue.get());
    first.waits();
    second.waits();
    queue.try_put(Fragile(2)).unwrap();
    breaks(|| queue.try_put(Fragile(1)));
    assert!(first.ends().is_ok());
    assert!(second.ends().is_ok());
    assert_eq!(queue.statistics(), full_of([]).statistics());
}

/// A putter whose item moved into the queue is told so, even if the move went wrong.
#[test]
fn a_comparison_that_panics_as_room_is_used_tells_the_putter() {
    let queue = PriorityQueue::bounded(2);
    queue.try_put(Fragile(1)).unwrap();
    queue.try_put(Fragile(2)).unwrap();
    let mut put = Task::new(queue.put(Fragile(0)));
    put.waits();
    // With two items, taking one compares nothing.
    breaks(|| queue.try_get());
    assert_eq!(put.ends(), Ok(()));
    assert_eq!(queue.len(), 2);
}

/// One of those who are told of the end has a waker that panics: the others are told, and the join.
#[test]
fn a_waker_that_panics_at_the_end_keeps_nobody_from_hearing_of_it() {
    let queue = Queue::unbounded();
    let mut hooked = pin!(queue.get());
    let mut first = Task::new(queue.get());
    let mut last = Task::new(queue.get());
    let mut join = Task::new(queue.join());
    first.waits();
    with_hook(
        Act::Wake,
        || panic!("foreign"),
        |cx| {
            queue.try_put(1).unwrap();
            queue.close();
            join.waits();
            assert!(hooked.as_mut().poll(cx).is_pending());
            last.waits();
            assert!(catch_unwind(AssertUnwindSafe(|| first.poll())).is_err());
        },
    );
    assert_eq!(join.ends(), Ok(()));
    assert_eq!(last.ends(), Err(GetError::Closed));
}

/// Those who wait for the queue to be done are told, even if a waker before them panics.
#[test]
fn a_waker_that_panics_keeps_no_join_from_ending() {
    let queue = Queue::bounded(1);
    queue.try_put(1).unwrap();
    let mut put = pin!(queue.put(2));
    let mut join = Task::new(queue.join());
    join.waits();
    with_hook(
        Act::Wake,
        || panic!("foreign"),
        |cx| {
            assert!(put.as_mut().poll(cx).is_pending());
            let close = AssertUnwindSafe(|| queue.close_now());
            assert!(catch_unwind(close).is_err());
        },
    );
    assert_eq!(join.ends(), Ok(()));
}

/// The same where items go from hand to hand, past one that is on its way.
#[test]
fn a_comparison_that_panics_in_a_rendezvous_tells_the_putter() {
    let queue = PriorityQueue::bounded(0);
    let mut get = Task::new(queue.get());
    get.waits();
    queue.try_put(Fragile(1)).unwrap();
    let mut put = Task::new(queue.put(Fragile(2)));
    put.waits();
    breaks(|| queue.try_get());
    assert_eq!(put.ends(), Ok(()));
    assert!(get.ends().is_ok());
}

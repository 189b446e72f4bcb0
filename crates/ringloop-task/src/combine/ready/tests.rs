//! Places, wakes and tickets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Wake, Waker};

use super::ReadyQueue;

/// Counts how often whoever polls is woken.
#[derive(Default)]
struct Wakes(AtomicU32);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn parent() -> (Arc<Wakes>, Waker) {
    let wakes = Arc::<Wakes>::default();
    (Arc::clone(&wakes), Waker::from(wakes))
}

#[test]
fn places_are_used_again_and_tickets_are_not() {
    let queue = ReadyQueue::new();
    let (first, first_waker) = queue.enter();
    let (second, _waker) = queue.enter();
    assert_eq!((first.index(), second.index()), (0, 1));
    for _ in 0..10 {
        queue.leave(first);
        let (next, waker) = queue.enter();
        assert_eq!(next.index(), 0, "however many come and go");
        assert!(next.ticket() > second.ticket());
        first_waker.wake_by_ref();
        assert_eq!(queue.pop(), None, "that one has left");
        waker.wake();
        assert_eq!(queue.pop(), Some(next));
        queue.leave(next);
        let (again, _waker) = queue.enter();
        assert_eq!(again.index(), 0);
        queue.leave(again);
    }
}

#[test]
fn members_are_popped_once_in_the_order_of_their_first_wakes() {
    let queue = ReadyQueue::new();
    let members = [queue.enter(), queue.enter(), queue.enter()];
    for n in [2, 0, 2, 1, 0] {
        members[n].1.wake_by_ref();
    }
    queue.leave(members[0].0);
    let popped: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
    assert_eq!(
        popped,
        [members[2].0, members[1].0],
        "without the one that left"
    );
}

#[test]
fn whoever_polls_is_woken_once_for_each_time_that_it_looks() {
    let queue = ReadyQueue::new();
    let (wakes, waker) = parent();
    let count = || wakes.0.load(Ordering::Relaxed);
    let (first, second) = (queue.enter(), queue.enter());
    assert_eq!(queue.begin(&waker), 0);
    first.1.wake_by_ref();
    second.1.wake_by_ref();
    assert_eq!(count(), 1);
    assert_eq!(queue.begin(&waker), 2);
    assert_eq!(queue.pop(), Some(first.0));
    queue.end();
    assert_eq!(count(), 2, "one member is left");
    assert_eq!(queue.begin(&waker), 1);
    assert_eq!(queue.pop(), Some(second.0));
    queue.end();
    assert_eq!(count(), 2);
    queue.close();
    first.1.wake_by_ref();
    assert_eq!((count(), queue.pop()), (2, None));
    drop((waker, queue));
    assert_eq!(
        Arc::strong_count(&wakes),
        1,
        "what is left of the members keeps nobody"
    );
}

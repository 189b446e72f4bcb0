//! Who comes out next, and how many have room.

use ringloop_sync::{TryGetError, TryPutError};

use super::{LifoQueue, PriorityQueue, Queue};
use crate::support::Task;

#[test]
fn items_come_out_in_the_order_of_the_queue() {
    macro_rules! check {
        ($queue:expr, $expected:expr) => {
            let queue = $queue;
            for item in [2, 3, 1] {
                queue.try_put(item).unwrap();
            }
            assert_eq!([(); 3].map(|()| queue.try_get().unwrap()), $expected);
            assert_eq!(queue.try_get(), Err(TryGetError::Empty));
            for item in [2, 3, 1] {
                queue.try_put(item).unwrap();
            }
            assert_eq!(
                queue.close_now(),
                $expected,
                "what is left has the same order"
            );
        };
    }
    check!(Queue::bounded(3), [2, 3, 1]);
    check!(LifoQueue::bounded(3), [1, 3, 2]);
    check!(PriorityQueue::bounded(3), [1, 2, 3]);
}

#[test]
fn equals_in_a_priority_queue_come_out_as_they_came() {
    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct Urgency(u8);

    /// The name does not count.
    #[derive(Debug)]
    struct Call(Urgency, usize);

    impl PartialEq for Call {
        fn eq(&self, other: &Self) -> bool {
            self.cmp(other).is_eq()
        }
    }
    impl Eq for Call {}
    impl PartialOrd for Call {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }
    impl Ord for Call {
        fn cmp(&self, other: &Self) -> std::cmp::Ordering {
            self.0.cmp(&other.0)
        }
    }

    let queue = PriorityQueue::unbounded();
    for name in 0..100 {
        let urgency = if name % 3 == 0 { 1 } else { 2 };
        queue.try_put(Call(Urgency(urgency), name)).unwrap();
    }
    let names: Vec<usize> = std::iter::from_fn(|| Some(queue.try_get().ok()?.1)).collect();
    let urgent = (0..100).filter(|name| name % 3 == 0);
    let others = (0..100).filter(|name| name % 3 != 0);
    assert_eq!(names, urgent.chain(others).collect::<Vec<_>>());
}

#[test]
fn a_waiter_of_a_priority_queue_gets_the_smallest_when_it_runs() {
    let queue = PriorityQueue::unbounded();
    let mut first = Task::new(queue.get());
    first.waits();
    queue.try_put(5).unwrap();
    queue.try_put(3).unwrap();
    assert_eq!(first.ends(), Ok(3));
    assert_eq!(queue.try_get(), Ok(5));
}

#[test]
fn a_bounded_queue_has_room_for_its_capacity() {
    for capacity in [1, 2, 7] {
        let queue = Queue::bounded(capacity);
        assert_eq!(queue.capacity(), Some(capacity));
        for round in 0..2 {
            for item in 0..capacity {
                assert!(!queue.is_full());
                assert_eq!(queue.len(), item);
                assert_eq!(Task::new(queue.put(item)).ends_at_once(), Ok(()));
            }
            assert!(queue.is_full(), "round {round}");
            assert_eq!(queue.try_put(9), Err(TryPutError::Full(9)));
            Task::new(queue.put(9)).waits();
            for item in 0..capacity {
                assert_eq!(Task::new(queue.get()).ends_at_once(), Ok(item));
            }
            assert!(queue.is_empty());
            Task::new(queue.get()).waits();
        }
    }
}

#[test]
fn a_huge_capacity_allocates_nothing_in_advance() {
    for queue in [Queue::bounded(usize::MAX - 1), Queue::bounded(usize::MAX)] {
        queue.try_put([0_u64; 4]).unwrap();
        assert!(!queue.is_full());
        assert_eq!(queue.try_get(), Ok([0; 4]));
    }
    assert_eq!(Queue::<u8>::bounded(usize::MAX).capacity(), None);
    assert_eq!(Queue::<u8>::unbounded().capacity(), None);
}

#[test]
fn zero_capacity_is_a_rendezvous() {
    let queue = Queue::bounded(0);
    assert_eq!(queue.try_put(0), Err(TryPutError::Full(0)));
    assert!(queue.is_full());

    // The getter comes second.
    let mut puts = [1, 2].map(|item| Task::new(queue.put(item)));
    puts.iter_mut().for_each(Task::waits);
    assert_eq!(queue.len(), 0);
    assert_eq!(queue.try_get(), Ok(1));
    assert_eq!(puts[0].ends(), Ok(()));
    assert!(!puts[1].is_woken());
    assert_eq!(Task::new(queue.get()).ends_at_once(), Ok(2));
    assert_eq!(puts[1].ends(), Ok(()));

    // The getter comes first.
    let mut gets = [(); 2].map(|()| Task::new(queue.get()));
    gets.iter_mut().for_each(Task::waits);
    assert!(!queue.is_full());
    assert_eq!(queue.try_put(3), Ok(()));
    assert_eq!(Task::new(queue.put(4)).ends_at_once(), Ok(()));
    assert_eq!(queue.try_put(5), Err(TryPutError::Full(5)));
    assert_eq!(gets.map(|mut get| get.ends()), [Ok(3), Ok(4)]);
    assert_eq!(queue.try_get(), Err(TryGetError::Empty));
}

/// One item is on its way to a getter, and a putter waits with the next: whoever gets first has the
/// first one, also without capacity.
#[test]
fn items_that_go_from_hand_to_hand_keep_their_order() {
    for is_first_gone in [false, true] {
        let queue = Queue::bounded(0);
        let mut first = Task::new(queue.get());
        first.waits();
        assert_eq!(Task::new(queue.put(1)).ends_at_once(), Ok(()));
        let mut put = Task::new(queue.put(2));
        put.waits();
        assert_eq!(queue.try_get(), Ok(1));
        assert_eq!(put.ends(), Ok(()));
        if is_first_gone {
            first.abort();
            assert_eq!(queue.try_get(), Ok(2));
        } else {
            assert_eq!(first.ends(), Ok(2));
        }
        assert_eq!(queue.try_get(), Err(TryGetError::Empty));
    }
}

#[test]
fn all_is_seen_in_the_statistics() {
    let queue = Queue::bounded(1);
    let mut get = Task::new(queue.get());
    get.waits();
    assert_eq!(queue.statistics().waiting_getters, 1);
    queue.try_put(1).unwrap();
    let statistics = queue.statistics();
    assert_eq!((statistics.waiting_getters, statistics.len), (0, 0));
    assert_eq!(statistics.unfinished, 1, "it is on its way");
    queue.try_put(2).unwrap();
    let mut put = Task::new(queue.put(3));
    put.waits();
    let statistics = queue.statistics();
    assert_eq!((statistics.waiting_putters, statistics.len), (1, 1));
    assert_eq!(
        format!("{queue:?}"),
        "Queue { len: 1, capacity: 1, is_closed: false, waiting_getters: 0, waiting_putters: 1, \
         unfinished: 2 }"
    );
    assert_eq!(get.ends(), Ok(1));
    assert!(format!("{:?}", LifoQueue::<u8>::unbounded()).starts_with("LifoQueue { len: 0, is_"));
}

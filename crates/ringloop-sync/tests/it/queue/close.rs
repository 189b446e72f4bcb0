//! The end of a queue, in each of its states.

use ringloop_sync::{GetError, PutError, TryGetError, TryPutError};

use super::Queue;
use crate::items::Drops;
use crate::support::Task;

#[test]
fn a_closed_queue_gives_what_is_left() {
    let queue = Queue::bounded(2);
    queue.try_put(1).unwrap();
    queue.try_put(2).unwrap();
    queue.close();
    queue.close();
    assert!(queue.is_closed());
    assert_eq!(queue.try_put(3), Err(TryPutError::Closed(3)));
    assert_eq!(
        Task::new(queue.put(3)).ends_at_once(),
        Err(PutError::Closed(3))
    );
    assert_eq!(Task::new(queue.get()).ends_at_once(), Ok(1));
    assert_eq!(Task::new(queue.next()).ends_at_once(), Ok(Some(2)));
    assert_eq!(Task::new(queue.next()).ends_at_once(), Ok(None));
    assert_eq!(Task::new(queue.get()).ends_at_once(), Err(GetError::Closed));
    assert_eq!(queue.try_get(), Err(TryGetError::Closed));
    let job = Task::new(queue.get_job()).ends_at_once();
    assert!(job.is_err_and(|error| error.is_closed()));
    assert_eq!(queue.close_now(), []);
}

#[test]
fn those_who_wait_are_told() {
    for is_now in [false, true] {
        for capacity in 0..=1 {
            let queue = Queue::<usize>::bounded(capacity);
            let mut gets = [(); 2].map(|()| Task::new(queue.get()));
            gets.iter_mut().for_each(Task::waits);
            if is_now {
                assert_eq!(queue.close_now(), []);
            } else {
                queue.close();
            }
            for get in &mut gets {
                assert_eq!(get.ends(), Err(GetError::Closed));
            }

            let queue = Queue::bounded(capacity);
            let kept: Vec<usize> = (0..capacity).collect();
            for &item in &kept {
                queue.try_put(item).unwrap();
            }
            let mut puts = [5, 6].map(|item| Task::new(queue.put(item)));
            puts.iter_mut().for_each(Task::waits);
            if is_now {
                assert_eq!(queue.close_now(), kept);
            } else {
                queue.close();
                let left: Vec<usize> = std::iter::from_fn(|| queue.try_get().ok()).collect();
                assert_eq!(left, kept, "the items of those who waited are theirs");
            }
            for (put, item) in puts.iter_mut().zip([5, 6]) {
                assert_eq!(put.ends(), Err(PutError::Closed(item)));
            }
        }
    }
}

/// Of two getters the first was given the only item when the queue is closed. The second is told
/// when the first has taken it, and has it if the first is gone.
#[test]
fn an_item_on_its_way_is_not_lost_at_the_end() {
    for is_taken in [true, false] {
        for is_late in [true, false] {
            let queue = Queue::bounded(1);
            let mut first = Task::new(queue.get());
            let mut second = Task::new(queue.get());
            first.waits();
            if !is_late {
                second.waits();
            }
            queue.try_put(1).unwrap();
            queue.close();
            if is_late {
                second.waits();
            }
            assert!(!second.is_woken());
            assert_eq!(queue.try_get(), Err(TryGetError::Empty), "not yet the end");
            if is_taken {
                assert_eq!(first.ends(), Ok(1));
                assert_eq!(second.ends(), Err(GetError::Closed));
            } else {
                first.abort();
                assert_eq!(second.ends(), Ok(1));
            }
            assert_eq!(queue.try_get(), Err(TryGetError::Closed));
        }
    }
}

#[test]
fn close_now_takes_what_is_on_its_way() {
    for is_dropped in [true, false] {
        let drops = Drops::default();
        let queue = Queue::bounded(2);
        let mut gets = [(); 2].map(|()| Task::new(queue.get()));
        gets.iter_mut().for_each(Task::waits);
        for number in 0..4 {
            queue.try_put(drops.item(number)).unwrap();
        }
        let left = queue.close_now();
        let numbers: Vec<u32> = left.iter().map(|item| item.number).collect();
        assert_eq!(numbers, [0, 1, 2, 3]);
        for get in &mut gets {
            if is_dropped {
                get.abort();
            } else {
                assert_eq!(get.ends(), Err(GetError::Closed));
            }
        }
        assert_eq!(queue.len(), 0);
        assert_eq!(drops.count(), 0);
        drop(left);
        assert_eq!(drops.sorted(), [0, 1, 2, 3]);
    }
}

#[test]
fn close_now_tells_those_whose_items_it_takes_and_those_behind() {
    let queue = Queue::bounded(1);
    let mut gets = [(); 3].map(|()| Task::new(queue.get()));
    gets.iter_mut().for_each(Task::waits);
    queue.try_put(1).unwrap();
    assert_eq!(queue.close_now(), [1]);
    for get in &mut gets {
        assert_eq!(get.ends(), Err(GetError::Closed));
    }
}

#[test]
fn items_of_a_dropped_queue_are_dropped_once() {
    let drops = Drops::default();
    let queue = Queue::bounded(2);
    let mut get = Task::new(queue.get());
    get.waits();
    for number in 0..3 {
        queue.try_put(drops.item(number)).unwrap();
    }
    let mut put = Task::new(queue.put(drops.item(3)));
    put.waits();
    drop(get);
    drop(put);
    assert_eq!(drops.sorted(), [3]);
    drop(queue);
    assert_eq!(drops.sorted(), [0, 1, 2, 3]);
}

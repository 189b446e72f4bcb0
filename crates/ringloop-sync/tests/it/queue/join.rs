//! When everything is done.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{PriorityQueue, Queue};
use crate::items::{Drops, Fuse};
use crate::support::Task;
use crate::test_host::Cancelled;

#[test]
fn join_of_a_fresh_queue_does_not_wait() {
    let queue = Queue::<u8>::unbounded();
    assert_eq!(Task::new(queue.join()).ends_at_once(), Ok(()));
}

#[test]
fn join_waits_for_items_and_jobs() {
    let queue = Queue::unbounded();
    queue.try_put(1).unwrap();
    queue.try_put(2).unwrap();
    queue.try_put(3).unwrap();
    let mut joins = [(); 2].map(|()| Task::new(queue.join()));
    joins.iter_mut().for_each(Task::waits);
    let job = queue.try_get_job().unwrap();
    assert_eq!(queue.try_get(), Ok(2), "got is done");
    let other = Task::new(queue.get_job()).ends_at_once().unwrap();
    assert!(queue.is_empty());
    job.done();
    joins.iter_mut().for_each(Task::waits);
    assert_eq!(other.into_inner(), 3);
    for join in &mut joins {
        assert_eq!(join.ends(), Ok(()));
    }
    assert_eq!(queue.statistics().unfinished, 0);
}

#[test]
fn the_jobs_of_a_worker_end_with_the_queue_and_with_its_task() {
    let queue = Queue::unbounded();
    queue.try_put(1).unwrap();
    let mut join = Task::new(queue.join());
    join.waits();
    let job = Task::new(queue.next_job()).ends_at_once().unwrap();
    assert_eq!(job.as_deref(), Some(&1));
    join.waits();
    drop(job);
    assert_eq!(join.ends(), Ok(()));
    let mut cancelled = Task::new(queue.next_job());
    let mut last = Task::new(queue.next_job());
    cancelled.waits();
    last.waits();
    cancelled.cancel();
    assert!(matches!(cancelled.ends(), Err(Cancelled)));
    queue.close();
    assert!(matches!(last.ends(), Ok(None)));
}

#[test]
fn every_way_of_getting_the_last_item_ends_a_join() {
    type Way = fn(&Queue<u8>);
    let ways: [Way; 7] = [
        |queue| assert!(queue.try_get().is_ok()),
        |queue| assert!(Task::new(queue.get()).ends_at_once().is_ok()),
        |queue| assert_eq!(Task::new(queue.next()).ends_at_once(), Ok(Some(1))),
        |queue| drop(queue.try_get_job().unwrap()),
        |queue| assert!(Task::new(queue.get_job()).ends_at_once().is_ok()),
        |queue| assert!(Task::new(queue.next_job()).ends_at_once().is_ok()),
        |queue| assert_eq!(queue.close_now(), [1]),
    ];
    for (index, get) in ways.iter().enumerate() {
        let queue = Queue::unbounded();
        queue.try_put(1).unwrap();
        let mut join = Task::new(queue.join());
        join.waits();
        get(&queue);
        assert!(join.is_woken(), "{index}");
        assert_eq!(join.ends(), Ok(()), "{index}");
    }
}

#[test]
fn join_waits_for_an_item_on_its_way() {
    for is_job in [true, false] {
        let queue = Queue::unbounded();
        let mut get = Task::new(queue.get());
        let mut job = Task::new(queue.get_job());
        if is_job {
            job.waits();
        } else {
            get.waits();
        }
        queue.try_put(1).unwrap();
        let mut join = Task::new(queue.join());
        join.waits();
        if is_job {
            let job = job.ends().unwrap();
            assert!(!join.is_woken());
            drop(job);
        } else {
            assert_eq!(get.ends(), Ok(1));
        }
        assert_eq!(join.ends(), Ok(()));
    }
}

#[test]
fn a_job_that_waits_and_a_failed_try_do_not_count() {
    let queue = Queue::<u8>::unbounded();
    let mut job = Task::new(queue.get_job());
    job.waits();
    assert!(queue.try_get_job().is_err());
    assert_eq!(queue.statistics().unfinished, 0);
    assert_eq!(Task::new(queue.join()).ends_at_once(), Ok(()));
}

#[test]
fn a_job_dropped_by_a_panic_is_done() {
    let drops = Drops::default();
    let queue = Queue::unbounded();
    queue.try_put(drops.item(1)).unwrap();
    let mut join = Task::new(queue.join());
    join.waits();
    let worker = catch_unwind(AssertUnwindSafe(|| {
        let _job = queue.try_get_job().unwrap();
        panic!("the worker fails");
    }));
    assert!(worker.is_err());
    assert_eq!(join.ends(), Ok(()));
    assert_eq!(drops.sorted(), [1]);
}

#[test]
fn a_job_whose_item_panics_when_dropped_is_done() {
    struct Mine;
    impl Drop for Mine {
        fn drop(&mut self) {
            panic!("a destructor fails");
        }
    }
    let queue = Queue::unbounded();
    queue.try_put(Mine).unwrap();
    let mut join = Task::new(queue.join());
    join.waits();
    let job = queue.try_get_job().unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| job.done())).is_err());
    assert_eq!(join.ends(), Ok(()));
}

#[test]
fn the_destructor_of_an_item_is_part_of_the_job() {
    thread_local! {
        static QUEUE: Queue<Fuse<fn()>> = const { Queue::unbounded() };
    }
    QUEUE.with(|queue| {
        let item =
            Fuse((|| QUEUE.with(|queue| assert_eq!(queue.statistics().unfinished, 1))) as fn());
        queue.try_put(item).ok().unwrap();
        queue.try_get_job().unwrap().done();
        assert_eq!(queue.statistics().unfinished, 0);
    });
}

#[test]
fn who_waits_for_room_is_not_waited_for() {
    let queue = Queue::bounded(1);
    queue.try_put(1).unwrap();
    let mut put = Task::new(queue.put(2));
    put.waits();
    let mut join = Task::new(queue.join());
    join.waits();
    // Its item takes the place, so there is no moment at which everything is done.
    assert_eq!(queue.try_get(), Ok(1));
    assert!(!join.is_woken());
    assert_eq!(queue.try_get(), Ok(2));
    assert_eq!(join.ends(), Ok(()));

    let queue = Queue::bounded(0);
    let mut put = Task::new(queue.put(1));
    put.waits();
    assert_eq!(Task::new(queue.join()).ends_at_once(), Ok(()));
}

#[test]
fn close_now_leaves_join_what_was_handed_out() {
    let queue = PriorityQueue::unbounded();
    queue.try_put(2).unwrap();
    queue.try_put(1).unwrap();
    let job = queue.try_get_job().unwrap();
    let mut join = Task::new(queue.join());
    join.waits();
    assert_eq!(queue.close_now(), [2]);
    assert!(!join.is_woken());
    assert_eq!(job.into_inner(), 1);
    assert_eq!(join.ends(), Ok(()));
}

#[test]
fn a_cancelled_or_dropped_join_is_not_missed() {
    for is_woken in [true, false] {
        for is_cancelled in [true, false] {
            let queue = Queue::unbounded();
            queue.try_put(1).unwrap();
            let mut first = Task::new(queue.join());
            let mut second = Task::new(queue.join());
            first.waits();
            second.waits();
            if is_woken {
                queue.try_get().unwrap();
            }
            if is_cancelled {
                first.cancel();
                let expected = if is_woken { Ok(()) } else { Err(Cancelled) };
                assert_eq!(first.ends(), expected);
            } else {
                first.abort();
            }
            if !is_woken {
                queue.try_get().unwrap();
            }
            assert_eq!(second.ends(), Ok(()));
        }
    }
}

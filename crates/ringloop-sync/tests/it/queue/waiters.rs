//! Those who wait: their order, and what becomes of what a waiter was given who is gone.

use std::cell::RefCell;
use std::rc::Rc;

use ringloop_sync::{GetError, PutError, TryGetError, TryPutError};

use super::{LifoQueue, PriorityQueue, Queue};
use crate::items::{Drops, Fuse, Item};
use crate::support::Task;
use crate::test_host::Cancelled;

/// How a task that waits ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Cancel,
    Drop,
}

const ENDS: [End; 2] = [End::Cancel, End::Drop];

#[test]
fn an_item_is_handed_to_the_first_who_waits() {
    for capacity in [0, 1, 2, usize::MAX] {
        let queue = Queue::bounded(capacity);
        let mut first = Task::new(queue.get());
        let mut second = Task::new(queue.get());
        first.waits();
        second.waits();
        queue.try_put(1).unwrap();
        assert!(first.is_woken() && !second.is_woken());
        // Nobody barges in before it runs.
        assert_eq!(queue.try_get(), Err(TryGetError::Empty));
        let mut third = Task::new(queue.get());
        third.waits();
        queue.try_put(2).unwrap();
        assert!(second.is_woken() && !third.is_woken());
        assert_eq!(first.ends(), Ok(1));
        assert_eq!(queue.try_get(), Err(TryGetError::Empty));
        assert_eq!(second.ends(), Ok(2));
        third.waits();
    }
}

#[test]
fn room_goes_to_the_first_who_waits() {
    let queue = Queue::bounded(1);
    queue.try_put(0).unwrap();
    let mut puts = [1, 2, 3].map(|item| Task::new(queue.put(item)));
    puts.iter_mut().for_each(Task::waits);
    for (item, put) in puts.iter_mut().enumerate() {
        assert!(!put.is_woken());
        assert_eq!(queue.try_get(), Ok(item));
        // The item is in the queue before its putter runs; nobody barges in.
        assert_eq!(queue.try_put(9), Err(TryPutError::Full(9)));
        assert_eq!(put.ends(), Ok(()));
    }
    assert_eq!(queue.try_get(), Ok(3));
    assert_eq!(queue.try_get(), Err(TryGetError::Empty));
}

/// Three tasks wait for items; `given` items are put, and the task `who` ends before its time. All
/// items come out in order, to those who are left, first come first served.
#[test]
fn a_getter_that_is_gone_passes_its_item_on() {
    for capacity in [0, 1, usize::MAX] {
        for given in 0..=3_usize {
            for who in 0..3 {
                for end in ENDS {
                    check_getter_gone(capacity, given, who, end);
                }
            }
        }
    }
}

fn check_getter_gone(capacity: usize, given: usize, who: usize, end: End) {
    let case = format!("capacity {capacity}, {given} given, {who} by {end:?}");
    let queue = Queue::bounded(capacity);
    let mut gets = [(); 3].map(|()| Task::new(queue.get()));
    gets.iter_mut().for_each(Task::waits);
    for item in 0..given {
        queue.try_put(item).expect("a getter waits");
    }
    let mut got = Vec::new();
    let has_won = who < given && end == End::Cancel;
    match end {
        End::Cancel => {
            gets[who].cancel();
            match gets[who].ends() {
                Ok(item) if has_won => got.push(item),
                Err(GetError::Cancelled(Cancelled)) if !has_won => {}
                other => panic!("{case}: {other:?}"),
            }
        }
        End::Drop => gets[who].abort(),
    }
    let left = (0..3).filter(|&other| other != who);
    let with_item = given - usize::from(has_won);
    for (nth, other) in left.enumerate() {
        if nth < with_item {
            // The item that was not won moved to the next one.
            assert!(gets[other].is_woken(), "{case}: {other}");
            got.push(gets[other].ends().expect("it was given an item"));
        } else {
            assert!(!gets[other].is_woken(), "{case}: {other}");
            gets[other].abort();
        }
    }
    while let Ok(item) = queue.try_get() {
        got.push(item);
    }
    assert_eq!(got, (0..given).collect::<Vec<_>>(), "{case}");
}

/// Several getters are given items and dropped, in every order; what they would have had comes out
/// in the order of the queue.
#[test]
fn items_of_dropped_getters_keep_their_order() {
    for order in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        for keep in 0..=3 {
            let queue = Queue::unbounded();
            let lifo = LifoQueue::unbounded();
            let heap = PriorityQueue::unbounded();
            let mut gets = [(); 3].map(|()| Task::new(queue.get()));
            let mut lifo_gets = [(); 3].map(|()| Task::new(lifo.get()));
            let mut heap_gets = [(); 3].map(|()| Task::new(heap.get()));
            for task in gets.iter_mut().chain(&mut lifo_gets).chain(&mut heap_gets) {
                task.waits();
            }
            for item in [7, 5, 6] {
                queue.try_put(item).unwrap();
                lifo.try_put(item).unwrap();
                heap.try_put(item).unwrap();
            }
            for index in &order[keep..] {
                gets[*index].abort();
                lifo_gets[*index].abort();
                heap_gets[*index].abort();
            }
            let (mut out, mut lifo_out, mut heap_out) = (Vec::new(), Vec::new(), Vec::new());
            for index in &order[..keep] {
                out.push(gets[*index].ends().unwrap());
                lifo_out.push(lifo_gets[*index].ends().unwrap());
                heap_out.push(heap_gets[*index].ends().unwrap());
            }
            out.extend(std::iter::from_fn(|| queue.try_get().ok()));
            lifo_out.extend(std::iter::from_fn(|| lifo.try_get().ok()));
            heap_out.extend(std::iter::from_fn(|| heap.try_get().ok()));
            assert_eq!(out, [7, 5, 6], "{order:?}, {keep} kept");
            assert_eq!(lifo_out, [6, 5, 7], "{order:?}, {keep} kept");
            assert_eq!(heap_out, [5, 6, 7], "{order:?}, {keep} kept");
        }
    }
}

/// Three tasks wait for room; `taken` items are taken, and the task `who` ends before its time. What
/// was put comes out in order; what was not goes back, or is dropped with its put.
#[test]
fn a_putter_that_is_gone_takes_its_item_along() {
    for capacity in 0..=1_usize {
        for taken in 0..=3 {
            for who in 0..3 {
                for end in ENDS {
                    check_putter_gone(capacity, taken, who, end);
                }
            }
        }
    }
}

fn check_putter_gone(capacity: usize, taken: u32, who: u32, end: End) {
    let case = format!("capacity {capacity}, {taken} taken, {who} by {end:?}");
    let drops = Drops::default();
    let queue = Queue::bounded(capacity);
    for _ in 0..capacity {
        queue.try_put(drops.item(9)).expect("there is room");
    }
    let mut puts = [0, 1, 2].map(|number| Task::new(queue.put(drops.item(number))));
    puts.iter_mut().for_each(Task::waits);
    let mut got: Vec<Item> = (0..taken)
        .map(|_| queue.try_get().expect("a putter waits"))
        .collect();
    let gone = &mut puts[who as usize];
    let was_put = who < taken;
    let dropped_before = drops.count();
    match end {
        End::Cancel => {
            gone.cancel();
            let expected = if was_put {
                Ok(())
            } else {
                Err(PutError::Cancelled(drops.item(who), Cancelled))
            };
            assert_eq!(gone.ends(), expected, "{case}");
        }
        End::Drop => {
            gone.abort();
            let dropped = drops.count() - dropped_before;
            assert_eq!(dropped, usize::from(!was_put), "{case}");
        }
    }
    got.extend(std::iter::from_fn(|| queue.try_get().ok()));
    let mut expected = vec![9; capacity];
    expected.extend((0..3).filter(|&number| was_put || number != who));
    let numbers: Vec<u32> = got.iter().map(|item| item.number).collect();
    assert_eq!(numbers, expected, "{case}");
    for other in (0..3).filter(|&other| other != who) {
        assert_eq!(puts[other as usize].ends(), Ok(()), "{case}");
    }
}

#[test]
fn a_cancelled_task_neither_puts_nor_gets() {
    let queue = Queue::bounded(2);
    queue.try_put(1).unwrap();
    let mut put = Task::new(queue.put(2));
    put.cancel();
    assert_eq!(put.ends(), Err(PutError::Cancelled(2, Cancelled)));
    let mut get = Task::new(queue.get());
    get.cancel();
    assert_eq!(get.ends(), Err(GetError::Cancelled(Cancelled)));
    let mut next = Task::new(queue.next());
    next.cancel();
    assert_eq!(next.ends(), Err(Cancelled));
    let mut job = Task::new(queue.get_job());
    job.cancel();
    assert!(job.ends().is_err_and(|error| error.is_cancelled()));
    let mut join = Task::new(queue.join());
    join.cancel();
    assert_eq!(join.ends(), Err(Cancelled));
    assert_eq!(queue.close_now(), [1]);
}

#[test]
fn an_item_that_nobody_came_for_exceeds_the_capacity_and_counts() {
    for capacity in 0..=1_usize {
        let queue = Queue::bounded(capacity);
        let mut get = Task::new(queue.get());
        get.waits();
        for item in 0..=capacity {
            queue.try_put(item).unwrap();
        }
        get.abort();
        assert_eq!(queue.len(), capacity + 1);
        assert_eq!(queue.try_put(9), Err(TryPutError::Full(9)));
        let mut put = Task::new(queue.put(capacity + 1));
        put.waits();
        for item in 0..=capacity + 1 {
            assert_eq!(queue.try_get(), Ok(item));
        }
        assert_eq!(put.ends(), Ok(()));
    }
}

#[test]
fn destructors_of_items_may_use_the_queue() {
    type Use = Rc<RefCell<Vec<String>>>;
    let uses = Use::default();
    let queue = Rc::new(Queue::bounded(1));
    let item = || {
        let (queue, uses) = (Rc::downgrade(&queue), Rc::clone(&uses));
        Fuse(move || {
            let queue: Rc<Queue<Box<dyn std::any::Any>>> = queue.upgrade().unwrap();
            let put = queue.try_put(Box::new(())).is_ok();
            let got = queue.try_get().is_ok();
            uses.borrow_mut()
                .push(format!("{put} {got} {}", queue.len()));
        })
    };
    let taken = |uses: &Use| uses.borrow_mut().drain(..).collect::<Vec<_>>().join(", ");

    // Of an item that is taken and dropped, a put that is dropped before and while it waits.
    queue.try_put(Box::new(item())).unwrap();
    drop(queue.try_get().unwrap());
    assert_eq!(taken(&uses), "true true 0");
    drop(queue.put(Box::new(item())));
    assert_eq!(taken(&uses), "true true 0");
    queue.try_put(Box::new(())).unwrap();
    let mut put = Task::new(queue.put(Box::new(item())));
    put.waits();
    put.abort();
    assert_eq!(taken(&uses), "false true 0");

    // Of a job, of an item that nobody came for, and of what is left.
    queue.try_put(Box::new(item())).unwrap();
    drop(queue.try_get_job().unwrap());
    assert_eq!(taken(&uses), "true true 0");
    let mut get = Task::new(queue.get());
    get.waits();
    queue.try_put(Box::new(item())).unwrap();
    get.abort();
    drop(queue.close_now());
    assert_eq!(taken(&uses), "false false 0");
}

//! First come, first served, and foreign code never under a borrow.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use ringloop_core::{WaitKey, WaitList};

use crate::wakers::{Count, Event, with_hook};

/// Pushes `N` waiters with a counter each.
fn waiters<const N: usize>(list: &WaitList) -> [(Arc<Count>, WaitKey); N] {
    std::array::from_fn(|_| {
        let (count, waker) = Count::new();
        (count, list.push(&waker))
    })
}

fn wakes<const N: usize>(waiters: &[(Arc<Count>, WaitKey); N]) -> [usize; N] {
    std::array::from_fn(|index| waiters[index].0.get())
}

#[test]
fn wakes_come_first_come_first_served() {
    let list = WaitList::new();
    let waiters: [_; 3] = waiters(&list);
    assert_eq!(list.len(), 3);
    assert!(list.wake_one());
    assert_eq!(wakes(&waiters), [1, 0, 0]);
    assert!(list.wake_one());
    assert_eq!(wakes(&waiters), [1, 1, 0]);
    assert!(list.wake_one());
    assert_eq!(wakes(&waiters), [1, 1, 1]);
    assert!(!list.wake_one());
    assert!(list.is_empty());
}

#[test]
fn a_waiter_may_leave_from_any_place() {
    for leaver in 0..3 {
        let list = WaitList::new();
        let mut waiters = waiters::<3>(&list).map(Some);
        let (_, key) = waiters[leaver].take().unwrap();
        assert!(list.remove(key));
        assert_eq!(list.len(), 2);
        for (count, _) in waiters.iter().flatten() {
            assert!(list.wake_one());
            assert_eq!(count.get(), 1);
        }
        assert!(!list.wake_one());
    }
}

#[test]
fn a_removed_waker_is_dropped() {
    let list = WaitList::new();
    let [(count, key)] = waiters(&list);
    assert_eq!(Arc::strong_count(&count), 2);
    assert!(list.remove(key));
    assert_eq!(Arc::strong_count(&count), 1);
}

#[test]
fn a_waiter_that_was_woken_and_leaves_can_hand_on() {
    let list = WaitList::new();
    let waiters: [_; 2] = waiters(&list);
    assert!(list.wake_one());
    let counts = [0, 1].map(|index: usize| Arc::clone(&waiters[index].0));
    let [(_, first), (_, second)] = waiters;
    // The first one was granted something, and is dropped before it can use it.
    assert!(!list.is_waiting(&first));
    assert!(!list.remove(first));
    assert!(list.wake_one());
    assert_eq!(counts.map(|count| count.get()), [1, 1]);
    assert!(!list.remove(second));
}

#[test]
fn taken_waiters_are_not_waiting() {
    let list = WaitList::new();
    let [(count, key)] = waiters(&list);
    let waker = list.take_one().unwrap();
    assert_eq!(count.get(), 0);
    assert!(list.is_empty());
    assert!(!list.remove(key));
    waker.wake();
    assert_eq!(count.get(), 1);
    assert!(list.take_one().is_none());
}

#[test]
fn an_update_keeps_the_place() {
    let list = WaitList::new();
    let waiters: [_; 2] = waiters(&list);
    let (count, waker) = Count::new();
    assert!(list.update(&waiters[0].1, &waker));
    assert_eq!(Arc::strong_count(&waiters[0].0), 1, "the old waker is gone");
    assert!(list.wake_one());
    assert_eq!((wakes(&waiters), count.get()), ([0, 0], 1));
    assert!(!list.update(&waiters[0].1, &waker));
    assert_eq!(list.len(), 1);
}

#[test]
fn an_update_with_the_same_waker_clones_nothing() {
    let list = WaitList::new();
    let clones = Rc::new(Cell::new(0));
    let hook = {
        let clones = Rc::clone(&clones);
        move |event| clones.set(clones.get() + usize::from(event == Event::Clone))
    };
    with_hook(hook, |waker| {
        let key = list.push(waker);
        assert!(list.update(&key, waker));
        assert!(list.update(&key, waker));
        assert!(list.remove(key));
    });
    assert_eq!(clones.get(), 1);
}

#[test]
fn wake_all_wakes_those_who_wait_at_its_start() {
    let list = Rc::new(WaitList::new());
    let late = Rc::new(RefCell::new(Vec::new()));
    let hook = {
        let list = Rc::clone(&list);
        let late = Rc::clone(&late);
        move |event| {
            if event == Event::Wake {
                let key = list.push(Waker::noop());
                late.borrow_mut().push(key);
            }
        }
    };
    with_hook(hook, |waker| {
        let keys = [list.push(waker), list.push(waker)];
        list.wake_all();
        assert_eq!(late.borrow().len(), 2);
        assert_eq!(list.len(), 2, "those who came meanwhile wait on");
        for key in keys {
            assert!(!list.remove(key));
        }
    });
}

#[test]
fn a_waker_may_take_others_out() {
    let list = Rc::new(WaitList::new());
    let (count, waker) = Count::new();
    let victim = Rc::new(RefCell::new(None));
    let hook = {
        let list = Rc::clone(&list);
        let victim = Rc::clone(&victim);
        move |event| {
            if event == Event::Wake
                && let Some(key) = victim.take()
            {
                assert!(list.remove(key));
            }
        }
    };
    with_hook(hook, |hooked| {
        let first = list.push(hooked);
        victim.replace(Some(list.push(&waker)));
        list.wake_all();
        assert!(!list.remove(first));
    });
    assert_eq!(count.get(), 0);
    assert!(list.is_empty());
}

/// Every operation, with a waker that uses the list whenever anything is done to it.
#[test]
fn no_waker_is_touched_under_a_borrow() {
    let list = Rc::new(WaitList::new());
    let calls = Rc::new(Cell::new(0));
    let hook = {
        let list = Rc::clone(&list);
        let calls = Rc::clone(&calls);
        move |_| {
            calls.set(calls.get() + 1);
            let key = list.push(Waker::noop());
            assert!(list.remove(key));
        }
    };
    with_hook(hook, |waker| {
        let removed = list.push(waker);
        assert!(list.remove(removed));
        let updated = list.push(Waker::noop());
        assert!(list.update(&updated, waker));
        assert!(list.update(&updated, Waker::noop()));
        assert!(list.update(&updated, waker));
        assert!(list.wake_one());
        assert!(!list.remove(updated));
        let taken = list.push(waker);
        drop(list.take_one());
        assert!(!list.remove(taken));
        let woken = list.push(waker);
        list.wake_all();
        assert!(!list.remove(woken));
    });
    // Five clones, one of them per push and update; as many drops and the original's; two wakes.
    assert_eq!(calls.get(), 13);
}

/// A waker that is woken while its replacement is cloned: the update says so, and keeps nothing.
#[test]
fn an_update_sees_a_wake_during_its_clone() {
    let list = Rc::new(WaitList::new());
    let hook = {
        let list = Rc::clone(&list);
        move |event| {
            if event == Event::Clone {
                assert!(list.wake_one());
            }
        }
    };
    let (count, waker) = Count::new();
    let key = list.push(&waker);
    with_hook(hook, |hooked| assert!(!list.update(&key, hooked)));
    assert_eq!(count.get(), 1);
    assert!(list.is_empty());
    assert!(!list.remove(key));
}

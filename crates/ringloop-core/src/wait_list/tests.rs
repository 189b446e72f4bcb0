use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Wake, Waker};

use super::{WaitKey, WaitList};
use crate::slots::Slots;

fn assert_linked<T>(list: &WaitList<T>) -> usize {
    let slots = list.slots.borrow();
    assert_eq!(list.len(), slots.len());
    slots.assert_linked()
}

/// Notes who was woken last.
struct Note {
    name: usize,
    last: Arc<AtomicUsize>,
}

impl Wake for Note {
    fn wake(self: Arc<Self>) {
        self.last.store(self.name, Ordering::Relaxed);
    }
}

/// A long random walk, compared with a plain queue after each step. The seed is fixed.
#[test]
fn walks_like_a_queue() {
    let list = WaitList::new();
    let mut model: VecDeque<usize> = VecDeque::new();
    let mut keys: Vec<(usize, WaitKey)> = Vec::new();
    let last = Arc::new(AtomicUsize::new(usize::MAX));
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for name in 0..20_000 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let draw = usize::try_from(seed >> 33).unwrap();
        match draw % 8 {
            0..=3 if keys.len() < 40 => {
                let last = Arc::clone(&last);
                let waker = Waker::from(Arc::new(Note { name, last }));
                keys.push((name, list.push(&waker)));
                model.push_back(name);
            }
            4 => {
                let expected = model.pop_front();
                assert_eq!(list.wake_one(), expected.is_some());
                if let Some(expected) = expected {
                    assert_eq!(last.load(Ordering::Relaxed), expected);
                }
            }
            5 if draw % 64 == 5 => {
                list.wake_all();
                if let Some(expected) = model.drain(..).next_back() {
                    assert_eq!(last.load(Ordering::Relaxed), expected);
                }
            }
            _ if !keys.is_empty() => {
                let (name, key) = keys.swap_remove(draw % keys.len());
                let place = model.iter().position(|&waiting| waiting == name);
                assert_eq!(list.is_waiting(&key), place.is_some());
                assert_eq!(list.remove(key), place.is_some());
                if let Some(place) = place {
                    model.remove(place);
                }
            }
            _ => {}
        }
        assert_eq!(list.len(), model.len());
        assert_linked(&list);
    }
    assert!(assert_linked(&list) <= 40, "slots are reused");
}

#[test]
fn key_of_a_reused_slot_hits_nothing() {
    let list = WaitList::new();
    let first = list.push(Waker::noop());
    let stale = WaitKey(first.0);
    assert!(list.remove(first));
    let other = list.push(Waker::noop());
    assert!(Slots::<Waker>::is_same_slot(&stale.0, &other.0));
    assert!(!list.is_waiting(&stale));
    assert!(!list.update(&stale, Waker::noop()));
    assert!(!list.remove(stale));
    assert!(list.remove(other));
    assert_linked(&list);
}

#[test]
fn what_is_granted_waits_for_its_key() {
    let list = WaitList::new();
    let keys: Vec<_> = (0..4)
        .map(|brought| list.push_with(brought, Waker::noop()))
        .collect();
    assert_eq!(list.front(), Some(0));
    assert_eq!(list.grant_one(10).map(|(brought, _)| brought), Ok(0));
    assert!(list.wake_one());
    assert_eq!((list.front(), list.len()), (Some(2), 2));
    assert_linked(&list);

    // Another one does not get the place of somebody who has not come yet.
    let late = list.push_with(5, Waker::noop());
    assert_linked(&list);
    let taken: Vec<_> = keys.into_iter().map(|key| list.take(key)).collect();
    assert_eq!(taken, [Ok(10), Ok(1), Err(2), Err(3)]);
    assert_eq!(list.take(late), Err(5));
    assert_eq!(list.grant_one(6).map(|(brought, _)| brought), Err(6));
    assert_eq!(assert_linked(&list), 5);
}

#[test]
fn all_that_are_woken_keep_what_they_brought() {
    let list = WaitList::new();
    let keys = ["a", "b"].map(|brought| list.push_with(brought, Waker::noop()));
    list.wake_all();
    assert!(list.is_empty());
    assert_eq!(keys.map(|key| list.take(key)), [Ok("a"), Ok("b")]);
}

#[test]
fn a_poll_takes_what_was_left_or_leaves_its_waker() {
    let list = WaitList::new();
    let (first, second) = (note(1), note(2));
    let keys = ["a", "b"].map(|brought| list.push_with(brought, &first));
    assert_eq!(list.poll_take(&keys[0], &first), Poll::Pending);
    assert!(list.is_waiting_with(&keys[0], &first));
    assert_eq!(list.poll_take(&keys[0], &second), Poll::Pending);
    assert!(list.is_waiting_with(&keys[0], &second));

    drop(list.grant_one("c"));
    assert_eq!(list.poll_take(&keys[1], &first), Poll::Pending);
    assert_eq!(list.poll_take(&keys[0], &first), Poll::Ready("c"));
    assert_linked(&list);
    let late = list.push_with("d", &first);
    let [first_key, second_key] = keys;
    assert!(Slots::<Waker>::is_same_slot(&first_key.0, &late.0));
    assert!(!list.remove(first_key));
    assert_eq!(list.take(second_key), Err("b"));
    assert_eq!(list.take(late), Err("d"));
    assert_linked(&list);
}

fn note(name: usize) -> Waker {
    let last = Arc::default();
    Waker::from(Arc::new(Note { name, last }))
}

#[test]
fn wakers_are_handed_over_and_back() {
    let list = WaitList::new();
    let (first, second) = (note(1), note(2));
    let key = list.push_owned("a", first.clone());
    assert!(list.is_waiting_with(&key, &first));
    assert!(!list.is_waiting_with(&key, &second));
    let before = list.exchange(&key, second.clone()).unwrap();
    assert!(before.will_wake(&first));
    assert!(list.is_waiting_with(&key, &second));
    let (brought, last) = list.withdraw(key).unwrap_err();
    assert!(brought == "a" && last.will_wake(&second));

    let key = list.push_owned("b", first.clone());
    drop(list.grant_one("c"));
    assert!(!list.is_waiting_with(&key, &first));
    assert!(
        list.exchange(&key, second.clone())
            .unwrap_err()
            .will_wake(&second)
    );
    assert_eq!(list.withdraw(key).ok(), Some("c"));
    assert_linked(&list);
}

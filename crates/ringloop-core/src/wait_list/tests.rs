use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use super::{NONE, WaitKey, WaitList};

/// Follows the links both ways and compares them with the counts.
fn assert_linked(list: &WaitList) {
    let slots = list.slots.borrow();
    let mut tickets = Vec::new();
    let (mut index, mut prev) = (slots.front, NONE);
    while index != NONE {
        let slot = &slots.slots[index as usize];
        assert!(slot.waker.is_some());
        assert_eq!(slot.prev, prev);
        tickets.push(slot.ticket);
        (prev, index) = (index, slot.next);
    }
    assert_eq!(slots.back, prev);
    assert!(tickets.is_sorted(), "{tickets:?}");
    assert_eq!(tickets.len(), slots.len);

    let mut vacant = 0;
    let mut index = slots.vacant;
    while index != NONE {
        assert!(slots.slots[index as usize].waker.is_none());
        vacant += 1;
        index = slots.slots[index as usize].next;
    }
    assert_eq!(slots.len + vacant, slots.slots.len());
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
            0..=3 if model.len() < 40 => {
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
    assert!(list.slots.borrow().slots.len() <= 40, "slots are reused");
}

#[test]
fn key_of_a_reused_slot_hits_nothing() {
    let list = WaitList::new();
    let stale = list.push(Waker::noop());
    assert!(list.wake_one());
    let other = list.push(Waker::noop());
    assert_eq!(stale.index, other.index);
    assert!(!list.is_waiting(&stale));
    assert!(!list.update(&stale, Waker::noop()));
    assert!(!list.remove(stale));
    assert!(list.remove(other));
    assert_linked(&list);
}

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use super::{WaitKey, WaitList};
use crate::slots::Slots;

fn assert_linked(list: &WaitList) -> usize {
    list.slots.borrow().assert_linked()
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
    assert!(assert_linked(&list) <= 40, "slots are reused");
}

#[test]
fn key_of_a_reused_slot_hits_nothing() {
    let list = WaitList::new();
    let stale = list.push(Waker::noop());
    assert!(list.wake_one());
    let other = list.push(Waker::noop());
    assert!(Slots::<Waker>::is_same_slot(&stale.0, &other.0));
    assert!(!list.is_waiting(&stale));
    assert!(!list.update(&stale, Waker::noop()));
    assert!(!list.remove(stale));
    assert!(list.remove(other));
    assert_linked(&list);
}

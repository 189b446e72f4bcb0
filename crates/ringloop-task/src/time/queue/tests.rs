use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use super::TimerQueue;

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn noop() -> Waker {
    Waker::noop().clone()
}

/// A small generator: the test is the same at every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[test]
fn fires_in_the_order_of_deadlines_and_ties_in_the_order_of_insertion() {
    let mut queue = TimerQueue::new();
    let mut numbers = Numbers(42);
    let mut keys = Vec::new();
    for sequence in 0..2000_u64 {
        let deadline = numbers.next() % 50;
        keys.push((deadline, sequence, queue.insert(deadline, noop())));
    }
    let mut expected: Vec<_> = keys
        .iter()
        .map(|&(deadline, sequence, _)| (deadline, sequence))
        .collect();
    expected.sort_unstable();
    for (deadline, sequence) in expected {
        assert_eq!(queue.next_deadline(), Some(deadline));
        assert!(
            deadline == 0 || queue.pop_due(deadline - 1).is_none(),
            "never early"
        );
        let key = keys[usize::try_from(sequence).unwrap()].2;
        assert!(!queue.has_fired(key));
        assert!(queue.pop_due(deadline).is_some());
        assert!(queue.has_fired(key), "ties are first in, first out");
    }
    assert_eq!(queue.next_deadline(), None);
}

#[test]
fn agrees_with_a_sorted_list_under_random_inserts_and_removes() {
    let mut queue = TimerQueue::new();
    let mut model: Vec<(u64, u64, super::TimerKey)> = Vec::new();
    let mut numbers = Numbers(7);
    let mut sequence = 0;
    for now in 0..5000_u64 {
        match numbers.next() % 4 {
            0 | 1 => {
                let deadline = now + numbers.next() % 100;
                model.push((deadline, sequence, queue.insert(deadline, noop())));
                sequence += 1;
            }
            2 if !model.is_empty() => {
                let index = usize::try_from(numbers.next()).unwrap() % model.len();
                let (_, _, key) = model.swap_remove(index);
                assert!(queue.remove(key).is_some());
            }
            _ => {
                while queue.pop_due(now).is_some() {
                    let next = model
                        .iter()
                        .enumerate()
                        .min_by_key(|(_, timer)| (timer.0, timer.1));
                    let (index, &(deadline, _, key)) = next.unwrap();
                    assert!(deadline <= now);
                    assert!(queue.has_fired(key));
                    assert!(queue.remove(key).is_none());
                    model.swap_remove(index);
                }
                assert!(model.iter().all(|timer| timer.0 > now));
            }
        }
        assert_eq!(queue.len(), model.len());
        assert_eq!(
            queue.next_deadline(),
            model.iter().map(|timer| timer.0).min()
        );
    }
}

#[test]
fn slots_are_used_again() {
    let mut queue = TimerQueue::new();
    for round in 0..100 {
        let first = queue.insert(round, noop());
        let second = queue.insert(round, noop());
        assert!(queue.pop_due(round).is_some());
        assert!(queue.remove(first).is_none());
        assert!(queue.remove(second).is_some());
    }
    assert_eq!(queue.slots.len(), 2);
}

#[test]
fn silenced_timers_neither_fire_nor_keep_wakers() {
    let mut queue = TimerQueue::new();
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let key = queue.insert(1, Waker::from(count.clone()));
    drop(queue.silence());
    assert_eq!(Arc::strong_count(&count), 1);
    assert!(queue.pop_due(u64::MAX).is_none());
    assert!(!queue.has_fired(key));
    assert!(queue.remove(key).is_none());
}

#[test]
fn update_exchanges_a_different_waker_only() {
    let mut queue = TimerQueue::new();
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let key = queue.insert(1, noop());
    let waker = Waker::from(count.clone());
    assert!(queue.update(key, &waker).is_some());
    assert!(queue.update(key, &waker).is_none());
    queue.pop_due(1).unwrap().wake();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
}

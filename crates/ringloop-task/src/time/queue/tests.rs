use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use super::{Budget, Due, RELATIVE, TimerKey, TimerQueue};

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
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

fn at(deadline: u64) -> Due {
    Due::at(Duration::from_nanos(deadline)).unwrap()
}

fn insert(queue: &mut TimerQueue, deadline: u64, waker: Waker) -> TimerKey {
    let key = queue.insert(at(deadline));
    assert!(queue.arm(key, waker).unwrap().is_none());
    key
}

const WITHOUT_END: Budget = Budget {
    fired: u32::MAX,
    moved: u32::MAX,
};

/// A queue beside the simplest that could work: a sorted list.
struct Checked {
    queue: TimerQueue,
    /// Deadline, sequence, key.
    model: Vec<(u64, u64, TimerKey)>,
    now: u64,
    sequence: u64,
    budget: Budget,
}

impl Checked {
    fn new(budget: Budget) -> Self {
        Self {
            queue: TimerQueue::new(),
            model: Vec::new(),
            now: 0,
            sequence: 0,
            budget,
        }
    }

    fn insert(&mut self, deadline: u64) {
        let key = insert(&mut self.queue, deadline, Waker::noop().clone());
        self.model.push((deadline, self.sequence, key));
        self.sequence += 1;
    }

    fn remove(&mut self, index: usize) {
        let (_, _, key) = self.model.swap_remove(index);
        assert!(self.queue.remove(key).is_some(), "it has not fired");
    }

    /// Does one turn at a time; returns whether anything fired.
    fn turn(&mut self, now: u64) -> bool {
        assert!(now >= self.now);
        self.now = now;
        self.queue.admit(now);
        let mut budget = self.budget;
        let mut has_fired = false;
        while self.queue.pop_due(now, &mut budget).is_some() {
            has_fired = true;
            let (index, &(deadline, _, key)) = (0..)
                .zip(&self.model)
                .min_by_key(|(_, timer)| (timer.0, timer.1))
                .unwrap();
            assert!(self.queue.has_fired(key), "in order");
            assert!(deadline <= now, "never early");
            assert!(self.queue.remove(key).is_none());
            self.model.swap_remove(index);
        }
        assert_eq!(self.queue.len(), self.model.len());
        has_fired
    }

    /// Follows the looks that the queue asks for until it is empty: all fires at its very time.
    fn run_out(&mut self) {
        let mut looks = 0;
        self.queue.admit(self.now);
        while let Some(look) = self.queue.next_look() {
            let next = self.model.iter().map(|timer| timer.0).min().unwrap();
            assert!(look <= next.max(self.now), "never late");
            let now = look.max(self.now);
            if self.turn(now) {
                looks = 0;
            }
            looks += 1;
            assert!(looks < 10_000, "the queue gets on");
        }
        assert!(self.model.is_empty());
    }
}

/// Numbers around all powers of two, more of them at the borders of levels.
fn corners() -> Vec<u64> {
    let mut corners = vec![0, RELATIVE - 2, RELATIVE - 1];
    for bit in 0..63 {
        let power = 1_u64 << bit;
        let reach = if bit % 6 == 0 { 2 } else { 0 };
        corners.extend(power.saturating_sub(reach + 1)..=power + reach);
    }
    corners.sort_unstable();
    corners.dedup();
    corners
}

#[test]
fn every_pair_of_corners_fires_at_its_very_time() {
    let corners = corners();
    for (index, &first) in corners.iter().enumerate() {
        for &second in &corners[index..] {
            // Both from the beginning, and one after the other.
            let mut checked = Checked::new(WITHOUT_END);
            checked.insert(second);
            checked.insert(first);
            checked.run_out();
            let mut checked = Checked::new(WITHOUT_END);
            checked.turn(first);
            checked.insert(second);
            checked.insert(first);
            checked.run_out();
        }
    }
}

#[test]
fn all_orders_of_neighbors_at_the_borders_of_all_levels() {
    for level in 0..=10 {
        let border = 1_u64 << (6 * level);
        for start in [0, border.saturating_sub(3), border - 1] {
            let near = [border.max(3) - 2, border.max(3) - 1, border + 1, border + 2];
            for order in 0..4_u32.pow(3) {
                let mut checked = Checked::new(WITHOUT_END);
                checked.turn(start.min(near[0]));
                for place in 0..3 {
                    checked.insert(near[(order / 4_u32.pow(place) % 4) as usize]);
                    checked.insert(border);
                }
                checked.run_out();
            }
        }
    }
}

#[test]
fn agrees_with_a_sorted_list_under_random_inserts_removes_and_steps() {
    let mut numbers = Numbers(7);
    let budgets = [(u32::MAX, u32::MAX), (1, 1), (3, 40), (40, 3)];
    for (round, (fired, moved)) in (0..60)
        .step_by(4)
        .flat_map(|round| budgets.map(|budget| (round, budget)))
    {
        let mut checked = Checked::new(Budget { fired, moved });
        let span = 1_u64 << (round + 1);
        for _ in 0..200 {
            match numbers.next() % 8 {
                0..=2 => checked.insert(checked.now + numbers.next() % span),
                // Many at one time, and what comes while they are spread.
                3 => {
                    let deadline = checked.now + ((numbers.next() % span) | (span / 2));
                    (0..20).for_each(|_| checked.insert(deadline));
                }
                4 if !checked.model.is_empty() => {
                    let count = u64::try_from(checked.model.len()).unwrap();
                    checked.remove(usize::try_from(numbers.next() % count).unwrap());
                }
                5 => {
                    checked.turn(checked.now + numbers.next() % span);
                }
                6 => {
                    checked.turn(checked.now);
                    checked.queue.give_back_memory(4);
                }
                _ => {
                    checked.queue.admit(checked.now);
                    let look = checked.queue.next_look();
                    checked.turn(look.unwrap_or(0).max(checked.now));
                }
            }
        }
        checked.run_out();
    }
}

#[test]
fn late_arrivals_fire_at_once() {
    let mut checked = Checked::new(WITHOUT_END);
    checked.turn(1_000_000);
    for deadline in [1_000_000, 999_999, 5, 0] {
        checked.insert(deadline);
        assert!(checked.turn(1_000_000));
    }
}

#[test]
fn durations_count_from_the_next_look_at_the_clock() {
    let mut queue = TimerQueue::new();
    let short = queue.insert(Due::after(Duration::from_nanos(5)).unwrap());
    let exact = queue.insert(at(1005));
    let never = queue.insert(Due::after(Duration::from_nanos(RELATIVE - 1)).unwrap());
    assert!(queue.has_arrivals());
    queue.admit(1000);
    assert!(!queue.has_arrivals());
    assert_eq!(queue.deadline(short), 1005);
    assert_eq!(queue.deadline(never), RELATIVE - 1);
    assert_eq!(queue.next_look(), Some(1005));
    assert!(queue.pop_due(1004, &mut { WITHOUT_END }).is_none());
    assert!(queue.pop_due(1005, &mut { WITHOUT_END }).is_some());
    assert!(queue.has_fired(short) && !queue.has_fired(exact));
    assert!(queue.pop_due(1005, &mut { WITHOUT_END }).is_some());
    assert!(queue.has_fired(exact));
}

#[test]
fn what_is_centuries_away_is_refused() {
    let nanos = [RELATIVE, u64::MAX].map(Duration::from_nanos);
    let far = [Duration::from_secs(1 << 40), Duration::MAX];
    for far in nanos.into_iter().chain(far) {
        assert_eq!(Due::at(far), None);
        assert_eq!(Due::after(far), None);
    }
}

#[test]
fn slots_are_used_again() {
    let mut queue = TimerQueue::new();
    for round in 0..100 {
        let first = queue.insert(at(round));
        let second = insert(&mut queue, round, Waker::noop().clone());
        queue.admit(0);
        assert!(queue.pop_due(100, &mut { WITHOUT_END }).is_some());
        assert!(queue.remove(first).is_none());
        assert!(queue.remove(second).is_some());
    }
    assert_eq!(queue.links.slots_len(), 2);
    assert_eq!(queue.timers.len(), 2);
}

#[test]
fn memory_behind_the_last_timer_is_given_back() {
    let mut queue = TimerQueue::new();
    let mut keys: Vec<_> = (0..100)
        .map(|deadline| insert(&mut queue, deadline, Waker::noop().clone()))
        .collect();
    let last = keys.pop().unwrap();
    let first = keys.remove(0);
    for key in keys {
        drop(queue.remove(key));
    }
    queue.give_back_memory(4);
    assert_eq!(queue.links.slots_len(), 100, "the last one is in use");
    drop(queue.remove(last));
    queue.give_back_memory(4);
    assert_eq!(queue.links.slots_len(), 1);
    queue.admit(0);
    assert_eq!(queue.next_look(), Some(0));
    drop(queue.remove(first));
}

#[test]
fn refiled_timers_fire_at_their_new_time() {
    let mut queue = TimerQueue::new();
    let key = queue.insert(at(50));
    let other = queue.insert(at(60));
    queue.admit(0);
    assert!(queue.refile(key, at(70)));
    queue.admit(0);
    assert_eq!(queue.next_look(), Some(60));
    assert!(queue.refile(other, at(70)));
    queue.admit(0);
    assert_eq!(queue.next_look(), Some(70));
    assert!(queue.pop_due(70, &mut { WITHOUT_END }).is_some());
    assert!(queue.has_fired(key), "it was the first to be filed");
    assert!(!queue.refile(key, at(80)), "it has fired");
    assert_eq!(queue.len(), 1);
}

#[test]
fn silenced_timers_neither_fire_nor_keep_wakers() {
    let count = Arc::new(Count(AtomicUsize::new(0)));
    for is_admitted in [false, true] {
        let mut queue = TimerQueue::new();
        let key = insert(&mut queue, 1, Waker::from(count.clone()));
        if is_admitted {
            queue.admit(0);
        }
        drop(queue.silence());
        assert_eq!(Arc::strong_count(&count), 1);
        assert!(queue.pop_due(2, &mut { WITHOUT_END }).is_none());
        assert!(!queue.has_fired(key));
        assert_eq!(queue.next_look(), None);
        assert!(queue.remove(key).is_none());
        assert_eq!(queue.len(), 0);
    }
}

#[test]
fn wakers_are_exchanged_while_the_timer_waits() {
    let mut queue = TimerQueue::new();
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(count.clone());
    let key = queue.insert(at(1));
    assert!(queue.lacks(key, &waker));
    assert!(queue.arm(key, Waker::noop().clone()).unwrap().is_none());
    assert!(queue.lacks(key, &waker));
    assert!(queue.arm(key, waker.clone()).unwrap().is_some());
    assert!(!queue.lacks(key, &waker));
    queue.admit(1);
    let fired = queue.pop_due(1, &mut { WITHOUT_END });
    fired.unwrap().unwrap().wake();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert!(!queue.lacks(key, &waker), "it has fired");
    assert!(queue.arm(key, waker).is_err(), "and takes no waker");
}

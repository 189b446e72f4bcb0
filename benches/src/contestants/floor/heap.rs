//! Deadlines in a binary heap, removed lazily: the plainest fast timer store.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Instant;

/// Deadlines, each with a key under which it can be removed.
#[derive(Debug, Default)]
pub(super) struct Heap {
    deadlines: BinaryHeap<Reverse<(Instant, u64)>>,
    /// Whether key `first_key + index` was removed.
    removed: VecDeque<bool>,
    first_key: u64,
    removed_count: usize,
}

impl Heap {
    /// Files a deadline.
    pub(super) fn insert(&mut self, deadline: Instant) -> u64 {
        let key = self.first_key + self.removed.len() as u64;
        self.deadlines.push(Reverse((deadline, key)));
        self.removed.push_back(false);
        key
    }

    /// Takes a deadline back that was filed under `key`.
    pub(super) fn remove(&mut self, key: u64) {
        let Ok(index) = usize::try_from(key - self.first_key) else {
            return;
        };
        self.removed[index] = true;
        self.removed_count += 1;
        if self.removed_count > SWEEP_AT && self.removed_count * 2 > self.deadlines.len() {
            self.sweep();
        }
    }

    /// Forgets what was removed: amortized over at least as many removals.
    fn sweep(&mut self) {
        let (removed, first_key) = (&self.removed, self.first_key);
        self.deadlines.retain(|Reverse((_, key))| {
            usize::try_from(key - first_key).is_ok_and(|index| !removed[index])
        });
        while self.removed.front() == Some(&true) {
            self.removed.pop_front();
            self.first_key += 1;
        }
        self.removed_count = 0;
    }
}

const SWEEP_AT: usize = 64;

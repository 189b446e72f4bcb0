//! How long tasks have kept each other busy while nothing happened.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::task::TaskId;

/// Counts polls since the last event, which is whatever wakes or makes a task from outside of a
/// poll: a timer, the driver, another thread. Shortly before the limit it begins to count by task.
#[derive(Debug)]
pub(super) struct Quiet {
    limit: u64,
    polls: Cell<u64>,
    by_task: RefCell<BTreeMap<TaskId, u64>>,
}

impl Quiet {
    pub(super) fn new(limit: u64) -> Self {
        Self {
            limit: limit.max(1),
            polls: Cell::new(0),
            by_task: RefCell::default(),
        }
    }

    /// Something happened.
    pub(super) fn interrupt(&self) {
        if self.polls.replace(0) > self.counted_from() {
            self.by_task.take();
        }
    }

    /// A task was polled. Returns who was polled most, once, when the limit is reached.
    pub(super) fn polled(&self, task: TaskId) -> Option<Vec<(TaskId, u64)>> {
        let polls = self.polls.get() + 1;
        if polls > self.limit {
            return None;
        }
        self.polls.set(polls);
        if polls <= self.counted_from() {
            return None;
        }
        let mut by_task = self.by_task.borrow_mut();
        *by_task.entry(task).or_default() += 1;
        (polls == self.limit).then(|| {
            let mut counts: Vec<_> = by_task
                .iter()
                .map(|(&task, &count)| (task, count))
                .collect();
            counts.sort_by_key(|&(_, count)| Reverse(count));
            counts.truncate(BUSIEST);
            counts
        })
    }

    /// Returns how many polls were made when the report is due.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// The last tenth of the polls is counted by task, and at least one poll.
    fn counted_from(&self) -> u64 {
        self.limit - self.limit.div_ceil(10)
    }
}

/// How many tasks are named.
const BUSIEST: usize = 3;

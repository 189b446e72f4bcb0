//! The submission and the completion queue of a simulated ring.

use std::collections::VecDeque;

use crate::ring::{Cqe, Sqe};

/// Entries that were pushed, and completions that wait to be taken.
#[derive(Debug)]
pub(super) struct Queues {
    submissions: VecDeque<Sqe>,
    submissions_max: usize,
    completions: VecDeque<Cqe>,
    completions_max: usize,
    /// What found no room. Only an `enter` moves it into the queue.
    overflow: VecDeque<Cqe>,
}

impl Queues {
    pub(super) fn new(submissions_max: u32, completions_max: u32) -> Self {
        Self {
            submissions: VecDeque::new(),
            submissions_max: submissions_max as usize,
            completions: VecDeque::new(),
            completions_max: completions_max as usize,
            overflow: VecDeque::new(),
        }
    }

    /// Queues an entry. `false`: the queue is full.
    pub(super) fn push(&mut self, sqe: Sqe) -> bool {
        let has_room = self.submissions.len() < self.submissions_max;
        if has_room {
            self.submissions.push_back(sqe);
        }
        has_room
    }

    /// Queues all of `sqes` or none.
    pub(super) fn push_chain(&mut self, sqes: &[Sqe]) -> bool {
        let has_room = self.submissions.len() + sqes.len() <= self.submissions_max;
        if has_room {
            self.submissions.extend(sqes);
        }
        has_room
    }

    pub(super) fn submissions_max(&self) -> usize {
        self.submissions_max
    }

    pub(super) fn next_submission(&mut self) -> Option<Sqe> {
        self.submissions.pop_front()
    }

    pub(super) fn submission_count(&self) -> usize {
        self.submissions.len()
    }

    /// Whether a completion would overflow: then a multishot request ends.
    pub(super) fn is_full(&self) -> bool {
        !self.overflow.is_empty() || self.completions.len() >= self.completions_max
    }

    /// Posts a completion, to the overflow list if there is no room, or if it is `detoured`.
    pub(super) fn post(&mut self, cqe: Cqe, detoured: bool) {
        if detoured || self.is_full() {
            self.overflow.push_back(cqe);
        } else {
            self.completions.push_back(cqe);
        }
    }

    /// Moves what has overflowed into the queue, as far as there is room.
    pub(super) fn flush(&mut self) {
        while self.completions.len() < self.completions_max
            && let Some(cqe) = self.overflow.pop_front()
        {
            self.completions.push_back(cqe);
        }
    }

    pub(super) fn next_completion(&mut self) -> Option<Cqe> {
        self.completions.pop_front()
    }

    pub(super) fn completion_count(&self) -> usize {
        self.completions.len()
    }

    pub(super) fn completions_max(&self) -> usize {
        self.completions_max
    }

    pub(super) fn has_overflow(&self) -> bool {
        !self.overflow.is_empty()
    }
}

//! Where workers find items, and each other.

use std::collections::VecDeque;

use crate::loom::Arc;
use crate::pool::bell::Bell;

use super::Limits;

/// The half of the queue that workers pop from, and the workers themselves, under one lock.
pub(in crate::pool) struct State<T, B> {
    pub(super) outbox: VecDeque<T>,
    /// The bells of idle workers, the most recently idle last.
    pub(super) idle: Vec<Arc<Bell>>,
    pub(super) is_looking: bool,
    pub(super) is_coming: bool,
    pub(super) is_closed: bool,
    /// Whether the last attempt to start a thread failed.
    pub(super) is_short: bool,
    /// Workers that take items, and the one that is being started.
    pub(super) threads: usize,
    /// Workers that take no more items and are about to be gone.
    pub(super) leaving: usize,
    pub(super) started: u64,
    pub(super) start_failures: u64,
    /// Pushes to be refused before a full queue is swept again.
    pub(super) sweep_pause: usize,
    /// Pushes to be refused before a full queue asks for a thread again that could not be had.
    pub(super) start_pause: usize,
    pub(in crate::pool) book: B,
}

impl<T, B> State<T, B> {
    pub(super) fn new(book: B) -> Self {
        Self {
            outbox: VecDeque::new(),
            idle: Vec::new(),
            is_looking: false,
            is_coming: false,
            is_closed: false,
            is_short: false,
            threads: 0,
            leaving: 0,
            started: 0,
            start_failures: 0,
            sweep_pause: 0,
            start_pause: 0,
            book,
        }
    }

    pub(in crate::pool) fn threads(&self) -> usize {
        self.threads + self.leaving
    }

    pub(in crate::pool) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Workers that wait for an item.
    pub(in crate::pool) fn idle(&self) -> usize {
        self.idle.len() + usize::from(self.is_looking)
    }

    /// Workers that are free for an item, or will be, or may be started for one.
    pub(super) fn available(&self, limits: &Limits) -> usize {
        let is_hopeless = self.is_short && self.threads > 0;
        let startable = if is_hopeless {
            0
        } else {
            limits.threads_max - self.threads
        };
        self.idle() + usize::from(self.is_coming) + startable
    }

    /// Whether items are run side by side and nobody is there for the next one.
    pub(super) fn wants_reserve(&self, limits: &Limits) -> bool {
        self.threads >= 2
            && !self.is_short
            && !self.is_looking
            && self.idle.is_empty()
            && !limits.keep_alive.is_zero()
    }

    /// Takes a bell off the idle stack and returns whether it was there.
    pub(super) fn unlist(&mut self, bell: &Arc<Bell>) -> bool {
        let index = self.idle.iter().rposition(|idle| Arc::ptr_eq(idle, bell));
        if let Some(index) = index {
            self.idle.remove(index);
        }
        index.is_some()
    }
}

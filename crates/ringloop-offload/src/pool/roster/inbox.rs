//! Where submitters put items, under a lock of its own.

use std::collections::VecDeque;

use super::Item;

/// The half of the queue that submitters push to.
pub(super) struct Inbox<T> {
    pub(super) items: VecDeque<T>,
    /// The length at which void items are swept out.
    sweep_len: usize,
    /// Whether a worker was summoned since the last swap.
    pub(super) is_called: bool,
    /// Whether there is a worker, and the roster is open.
    pub(super) is_staffed: bool,
    pub(super) accepted: u64,
}

impl<T: Item> Inbox<T> {
    pub(super) fn new() -> Self {
        Self {
            items: VecDeque::new(),
            sweep_len: SWEEP_LEN_MIN,
            is_called: false,
            is_staffed: false,
            accepted: 0,
        }
    }

    /// Queues an item. Returns others that are void, to be dropped without the lock: the end of
    /// an item may be foreign code, and may push another one.
    pub(super) fn push(&mut self, item: T) -> Vec<T> {
        let mut void = Vec::new();
        if self.items.len() >= self.sweep_len {
            void = self.sweep();
        }
        self.items.push_back(item);
        self.accepted += 1;
        void
    }

    /// Takes void items out. The length doubles before the next sweep: constant cost per push.
    pub(super) fn sweep(&mut self) -> Vec<T> {
        let void = take_void(&mut self.items);
        self.sweep_len = SWEEP_LEN_MIN.max(self.items.len() * 2);
        void
    }
}

/// Takes out the items of which nothing is left to run; the others keep their order.
pub(super) fn take_void<T: Item>(items: &mut VecDeque<T>) -> Vec<T> {
    let mut void = Vec::new();
    for _ in 0..items.len() {
        if let Some(item) = items.pop_front() {
            if item.is_void() {
                void.push(item);
            } else {
                items.push_back(item);
            }
        }
    }
    void
}

const SWEEP_LEN_MIN: usize = 64;

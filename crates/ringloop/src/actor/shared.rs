//! What the addresses of an actor and its inbox share.

use std::cell::Cell;

use crate::sync::Queue;

pub(super) struct Shared<M> {
    pub(super) queue: Queue<M>,
    /// When there is none, nothing can come any more, and the queue is closed.
    pub(super) addresses: Cell<usize>,
}

impl<M> Shared<M> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            queue: Queue::bounded(capacity),
            addresses: Cell::new(0),
        }
    }
}

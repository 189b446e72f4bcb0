//! What the addresses of an actor and its inbox share.

use std::cell::Cell;
use std::panic::Location;

use crate::observe::{self, Report};
use crate::sync::Queue;

pub(super) struct Shared<M> {
    pub(super) queue: Queue<M>,
    /// When there is none, nothing can come any more, and the queue is closed.
    pub(super) addresses: Cell<usize>,
    /// Whether a hook of the actor is being polled.
    pub(super) is_in_hook: Cell<bool>,
    /// Whether it was reported that the actor waits for itself.
    is_reported: Cell<bool>,
}

impl<M> Shared<M> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            queue: Queue::bounded(capacity),
            addresses: Cell::new(0),
            is_in_hook: Cell::new(false),
            is_reported: Cell::new(false),
        }
    }

    /// Reports in debug mode, once, if what waits for the actor is a hook of its own.
    #[inline]
    pub(super) fn watch_out(&self, at: &'static Location<'static>, what: &'static str) {
        if self.is_in_hook.get() {
            self.report(at, what);
        }
    }

    #[cold]
    fn report(&self, at: &'static Location<'static>, what: &'static str) {
        let Some(task) = observe::debugged_task(None) else {
            return;
        };
        if self.is_reported.replace(true) {
            return;
        }
        let text = format!(
            "deadlock: an actor waits for itself, in {task}\n  at {at}, where {what}; at best another \
             branch of the hook gives it up"
        );
        let tasks = vec![task];
        observe::report(&Report::Deadlock { tasks, text });
    }
}

//! A task in the ready queue.

use std::fmt;

use super::header::Turn;
use super::pointer::TaskPtr;
use super::reference::TaskRef;
use crate::home::Home;
use crate::ready::ReadyQueue;

/// A task in the ready queue, which keeps it alive. Made by [`TaskPtr::schedule`] only.
///
/// It is taken out of the queue to be run or to be withdrawn, never just dropped: a drop would
/// leave the task marked as queued for ever.
#[must_use]
pub(crate) struct Runnable(pub(super) TaskPtr);

impl Runnable {
    /// Goes into the queue.
    #[inline]
    pub(crate) fn queue(self, queue: &ReadyQueue<TaskPtr>) {
        queue.push(self.0);
    }

    /// Comes out of the queue, unless the first task there was polled in this turn of the loop.
    #[inline(always)]
    pub(crate) fn take(queue: &ReadyQueue<TaskPtr>, turn: Turn) -> Option<Self> {
        queue.pop_unless(|task| task.was_polled_in(turn)).map(Self)
    }

    /// Returns a reference to the task.
    pub(crate) fn task(&self) -> TaskRef {
        TaskRef::retain(self.0)
    }

    /// Polls the task once.
    #[inline]
    pub(crate) fn run(self, home: &Home, turn: Turn) {
        self.0.run(home, turn);
    }
}

impl fmt::Debug for Runnable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Runnable({:?})", self.0)
    }
}

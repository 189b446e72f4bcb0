//! A task in the ready queue.

use std::fmt;

use super::header::Turn;
use super::pointer::TaskPtr;
use super::reference::TaskRef;
use crate::home::Home;

/// A task in the ready queue, which keeps it alive. Made by [`TaskPtr::schedule`] only.
///
/// It is taken out of the queue to be run or to be withdrawn, never just dropped: a drop would
/// leave the task marked as queued for ever.
#[must_use]
pub(crate) struct Runnable(pub(super) TaskPtr);

impl Runnable {
    /// Returns a reference to the task.
    pub(crate) fn task(&self) -> TaskRef {
        TaskRef::retain(self.0)
    }

    /// Polls the task once.
    #[inline]
    pub(crate) fn run(self, home: &Home, turn: Turn) {
        self.0.run(home, turn);
    }

    /// Returns whether the task was polled in this turn of the loop.
    #[inline]
    pub(crate) fn was_polled_in(&self, turn: Turn) -> bool {
        self.0.was_polled_in(turn)
    }
}

impl fmt::Debug for Runnable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Runnable({:?})", self.0)
    }
}

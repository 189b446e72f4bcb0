//! A task in the ready queue.

use std::fmt;

use super::pointer::TaskPtr;
use crate::home::Home;

/// A task in the ready queue, which keeps it alive. Made by [`TaskPtr::schedule`] only.
///
/// It is taken out of the queue to be run or to be withdrawn, never just dropped: a drop would
/// leave the task marked as queued for ever.
#[must_use]
pub(crate) struct Runnable(pub(super) TaskPtr);

impl Runnable {
    /// Polls the task once.
    #[inline]
    pub(crate) fn run(self, home: &Home) {
        self.0.run(home);
    }
}

impl fmt::Debug for Runnable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Runnable({:?})", self.0)
    }
}

//! What a poll inside another poll sets aside.
//!
//! An eager spawn polls a task inside the poll of its spawner, and an abort drops one task's
//! future inside the poll of another. What belongs to the outer poll waits here meanwhile.

use std::rc::Rc;

use crate::cancel::Node;
use crate::context;
use crate::home::Home;
use crate::task::{PollCounts, TaskPtr};

/// What belongs to the poll that goes on later.
#[must_use = "the outer poll goes on with what is in here"]
pub(crate) struct SetAside {
    current: Option<TaskPtr>,
    scope: Option<Rc<Node>>,
    counts: PollCounts,
}

impl Home {
    /// Makes `task` the current one, as if the loop had just come to it. `None` is code of no task.
    pub(crate) fn set_aside(&self, task: Option<TaskPtr>) -> SetAside {
        self.recall();
        SetAside {
            current: self.current.replace(task),
            scope: self.scope.take(),
            counts: self.counts.take(),
        }
    }

    /// Goes on with the outer poll.
    pub(crate) fn take_up(&self, aside: SetAside) {
        // What the inner poll was lent it leaves here, and the outer one may have no right to any (E1).
        context::replace_ease(0);
        self.current.set(aside.current);
        let inner = self.scope.replace(aside.scope);
        debug_assert!(inner.is_none(), "a poll leaves the scopes it has entered");
        drop(inner);
        self.counts.restore(&aside.counts);
        self.lend();
    }
}

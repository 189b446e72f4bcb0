//! Something inside a scope that has to be waited for, although the scope is cancelled.

use std::fmt;
use std::rc::Rc;

use super::node::{self, Node};
use crate::context;
use crate::home::Home;
use crate::task::TaskRef;

/// Keeps the bodies of all scopes around, and of the task, from being dropped until it is dropped
/// itself: a shield that has not been left, or a wait that was told and goes on.
///
/// Scopes beyond a shield count too, because the shield may be lifted.
pub(super) struct Stay {
    scopes: Vec<Rc<Node>>,
    task: Option<TaskRef>,
}

impl Stay {
    /// Makes one for what is polled at the moment.
    #[cold]
    pub(super) fn here(home: &Home) -> Self {
        let mut scopes = Vec::new();
        let mut next = home.scope.borrow().clone();
        while let Some(node) = next {
            node.stays.set(node.stays.get() + 1);
            next = node.parent.borrow().clone();
            scopes.push(node);
        }
        let task = home.current.get().map(TaskRef::retain);
        if let Some(task) = &task {
            task.change_stays(1);
        }
        Self { scopes, task }
    }

    /// Returns whether it was made where something is polled now: in the same scopes of the same
    /// task.
    pub(super) fn fits(&self, home: &Home) -> bool {
        let is_same = |task: &TaskRef| home.current.get().is_some_and(|now| task.is(now));
        self.task.as_ref().is_some_and(is_same) && node::are_around(home, self.scopes.iter(), false)
    }

    /// Returns whether the scopes and the task that count this one look at their counts after it.
    fn is_looked_after(&self, home: &Home, task: &TaskRef) -> bool {
        if !home.current.get().is_some_and(|now| task.is(now)) {
            return false;
        }
        let Some(innermost) = self.scopes.first() else {
            return true;
        };
        let mut next = home.scope.borrow().clone();
        while let Some(node) = next {
            if Rc::ptr_eq(&node, innermost) {
                return true;
            }
            next = node.parent.borrow().clone();
        }
        false
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        let mut ends = false;
        for node in &self.scopes {
            node.stays.set(node.stays.get() - 1);
            ends |= node.stays.get() == 0 && node.is_cancelled();
        }
        let Some(task) = &self.task else {
            return;
        };
        ends |= task.change_stays(-1) == 0 && task.is_cancel_requested();
        let is_looked_after = |home: &Home| self.is_looked_after(home, task);
        if ends && context::with_home(is_looked_after) != Some(true) {
            // Given up elsewhere: what is cancelled was held by nothing but this.
            task.wake();
        }
    }
}

impl fmt::Debug for Stay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stay")
            .field("scopes", &self.scopes.len())
            .field("task", &self.task)
            .finish()
    }
}

//! Something inside a scope that has to be waited for, although the scope is cancelled.

use std::fmt;
use std::rc::Rc;

use super::node::Node;
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
}

impl Drop for Stay {
    fn drop(&mut self) {
        for node in self.scopes.drain(..) {
            node.stays.set(node.stays.get() - 1);
        }
        if let Some(task) = self.task.take() {
            task.change_stays(-1);
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

//! The job that runs on this thread.
//!
//! Jobs nest where an executor runs them inside `execute`, and where a job that waits for another
//! one runs it itself; hence the previous one comes back when a job is left.

use std::cell::RefCell;
use std::mem;
use std::sync::Arc;

use super::tag::{Home, JobId, Parent};
use super::{Watch, Work};

struct Current {
    work: Arc<dyn Work>,
    /// The pool whose thread this is. A job that has no home inherits that of the one around it.
    home: Option<Home>,
}

/// Returns the job that runs on this thread.
pub(crate) fn current() -> Option<Watch> {
    let current = CURRENT.try_with(|current| {
        let current = current.borrow();
        Some(Watch(Arc::clone(&current.as_ref()?.work)))
    });
    current.ok().flatten()
}

/// Returns what the job on this thread is to a job that it offloads.
pub(super) fn parent() -> Option<Parent> {
    let parent = CURRENT.try_with(|current| {
        let current = current.borrow();
        Some(current.as_ref()?.work.tag().as_parent())
    });
    parent.ok().flatten()
}

/// Returns the pool whose thread this is, while it runs a job.
pub(crate) fn home() -> Option<Home> {
    let home = CURRENT.try_with(|current| current.borrow().as_ref()?.home);
    home.ok().flatten()
}

/// Makes `work` the job that runs on this thread until the guard is dropped.
pub(super) fn enter(work: &Arc<dyn Work>) -> Entered {
    let current = Current {
        work: Arc::clone(work),
        home: work.tag().home().or_else(home),
    };
    let previous = CURRENT.try_with(|cell| cell.replace(Some(current)));
    Entered {
        previous: previous.ok().flatten(),
    }
}

/// Says that the job on this thread, if there is one, blocks it for `awaited`, until the guard is
/// dropped.
pub(crate) fn block_for(awaited: JobId) -> Blocked {
    let waiting = current();
    if let Some(waiting) = &waiting {
        waiting.tag().set_waiting_for(Some(awaited));
    }
    Blocked { waiting }
}

/// A job that waits for another one. See [`block_for`].
#[must_use = "the job does not wait any more when this is dropped"]
pub(crate) struct Blocked {
    waiting: Option<Watch>,
}

impl Drop for Blocked {
    fn drop(&mut self) {
        if let Some(waiting) = &self.waiting {
            waiting.tag().set_waiting_for(None);
        }
    }
}

/// A stay inside a job. See [`enter`].
#[must_use = "the job is left when this is dropped"]
pub(super) struct Entered {
    previous: Option<Current>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let previous = mem::take(&mut self.previous);
        let left = CURRENT.try_with(|current| current.replace(previous));
        drop(left);
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Current>> = const { RefCell::new(None) };
}

//! The job that runs on this thread.
//!
//! Jobs nest where an executor runs them inside `execute`, and where a job that waits for another
//! one runs it itself; hence the previous one comes back when a job is left.
//!
//! # Invariants
//!
//! - **I1** The pointer of a thread is null, or that of a [`Current`] in a frame of [`enter`] further
//!   down on the stack of this thread. Each such frame puts the previous pointer back before it ends,
//!   also if it unwinds.

#![expect(
    unsafe_code,
    reason = "a thread-local value cannot borrow what is on the stack, and counting references costs every job"
)]

use std::cell::Cell;
use std::ptr;
use std::sync::Arc;

use super::tag::{Home, JobId, Parent};
use super::{Watch, Work};

struct Current<'job> {
    work: &'job Arc<dyn Work>,
    /// The pool whose thread this is. A job that has no home inherits that of the one around it.
    home: Option<Home>,
}

/// Returns the job that runs on this thread.
pub(crate) fn current() -> Option<Watch> {
    with_current(|current| Watch(Arc::clone(current.work)))
}

/// Returns whether the job that runs on this thread was asked to stop.
pub(crate) fn is_asked() -> bool {
    with_current(|current| current.work.head().is_asked()).unwrap_or(false)
}

/// Returns what the job on this thread is to a job that it offloads.
pub(super) fn parent() -> Option<Parent> {
    with_current(|current| current.work.head().as_parent())
}

/// Returns the pool whose thread this is, while it runs a job.
pub(super) fn home() -> Option<Home> {
    with_current(|current| current.home).flatten()
}

/// Calls `f`, inside of which `work` is the job that runs on this thread.
pub(super) fn enter<R>(work: &Arc<dyn Work>, f: impl FnOnce() -> R) -> R {
    enter_at(work, work.head().tag().home(), f)
}

/// Does the same on a thread of the pool `here`.
#[inline]
pub(super) fn enter_at<R>(work: &Arc<dyn Work>, here: Option<Home>, f: impl FnOnce() -> R) -> R {
    struct Leave(*const Current<'static>);

    impl Drop for Leave {
        fn drop(&mut self) {
            CURRENT.with(|current| current.set(self.0));
        }
    }

    let current = Current {
        work,
        home: here.or_else(home),
    };
    let previous = CURRENT.with(|cell| cell.replace((&raw const current).cast()));
    // I1: it is dropped before `current`, and puts `previous` back.
    let _leave = Leave(previous);
    f()
}

/// Says that the job on this thread, if there is one, blocks it for `awaited`, until the guard is
/// dropped.
pub(crate) fn block_for(awaited: JobId) -> Blocked {
    let waiting = current();
    if let Some(waiting) = &waiting {
        waiting.head().set_waiting_for(Some(awaited));
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
            waiting.head().set_waiting_for(None);
        }
    }
}

#[inline]
fn with_current<R>(look: impl FnOnce(&Current<'_>) -> R) -> Option<R> {
    let current = CURRENT.with(Cell::get);
    // SAFETY: I1: null, or alive as long as this call.
    let current = unsafe { current.as_ref() };
    current.map(look)
}

#[cfg(not(loom))]
thread_local! {
    static CURRENT: Cell<*const Current<'static>> = const { Cell::new(ptr::null()) };
}

#[cfg(loom)]
::loom::thread_local! {
    static CURRENT: Cell<*const Current<'static>> = Cell::new(ptr::null());
}

//! Where a child reports that it is ready, and who waits for that.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::task::Waker;

/// Takes one report.
pub(super) struct Desk<V> {
    report: RefCell<Report<V>>,
    waiter: Cell<Option<Waker>>,
}

/// How far it has come.
enum Report<V> {
    Awaited,
    /// The [`Ready`] was dropped.
    Forsaken,
    Made(V),
    /// It was taken, or nobody waits any more.
    Closed,
}

impl<V> Desk<V> {
    pub(super) fn new() -> Self {
        Self {
            report: RefCell::new(Report::Awaited),
            waiter: Cell::new(None),
        }
    }

    /// Returns whether nothing was reported, and somebody waits.
    pub(super) fn is_open(&self) -> bool {
        matches!(*self.report.borrow(), Report::Awaited | Report::Forsaken)
    }

    /// Returns whether nothing can be reported any more.
    pub(super) fn is_forsaken(&self) -> bool {
        matches!(*self.report.borrow(), Report::Forsaken)
    }

    /// Takes the report, if it was made.
    pub(super) fn take(&self) -> Option<V> {
        let mut report = self.report.borrow_mut();
        if !matches!(*report, Report::Made(_)) {
            return None;
        }
        match std::mem::replace(&mut *report, Report::Closed) {
            Report::Made(value) => Some(value),
            Report::Awaited | Report::Forsaken | Report::Closed => None,
        }
    }

    /// Nobody waits any more.
    pub(super) fn close(&self) {
        let report = self.report.replace(Report::Closed);
        let waiter = self.waiter.take();
        drop((report, waiter));
    }

    /// Keeps who is to be woken by a report.
    pub(super) fn register(&self, waker: &Waker) {
        let old = self.waiter.replace(Some(waker.clone()));
        drop(old);
    }

    fn set(&self, report: Report<V>) {
        if !self.is_open() {
            drop(report);
            return;
        }
        let old = self.report.replace(report);
        drop(old);
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
    }
}

/// Says that a child is ready; see [`TaskGroup::start`](super::TaskGroup::start).
///
/// There is one for each start, and a report uses it up. Dropped without a report, it ends the
/// start, and the child is asked to cancel.
#[must_use = "the start fails when this is dropped without a report"]
pub struct Ready<V> {
    /// `None` when the report was made.
    desk: Option<Rc<Desk<V>>>,
}

impl<V> Ready<V> {
    pub(super) fn new(desk: &Rc<Desk<V>>) -> Self {
        Self {
            desk: Some(Rc::clone(desk)),
        }
    }

    /// Ends the start, with a value for who waits. If nobody does any more, the value is dropped.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias("started", "set"))]
    pub fn report(mut self, value: V) {
        if let Some(desk) = self.desk.take() {
            desk.set(Report::Made(value));
        }
    }
}

impl<V> Drop for Ready<V> {
    fn drop(&mut self) {
        if let Some(desk) = self.desk.take() {
            desk.set(Report::Forsaken);
        }
    }
}

impl<V> fmt::Debug for Ready<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").finish_non_exhaustive()
    }
}

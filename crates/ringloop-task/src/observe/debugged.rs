//! Debug mode, for those who watch more than polls.
//!
//! Locks and the like, which know nothing of schedulers, may have something to say of tasks too.
//! Whoever brings the two together asks here who is to be named, and hands in what was found.

use std::task::Waker;

use super::report::{Report, TaskInfo};
use crate::context;
use crate::task;

/// Returns the task that is being polled, if its scheduler is in debug mode.
///
/// With the waker of a poll, only if that is the task's own: a future that is polled with another
/// is one of several in its task, as in collections of futures, and does not stand for all of it.
///
/// Without debug mode it costs a look at a flag of the thread.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::observe::debugged_task;
/// use ringloop_task::{Scheduler, task};
///
/// for is_debug in [false, true] {
///     let mut scheduler = Scheduler::builder().debug(Some(is_debug)).build(ThreadDriver::new());
///     scheduler.block_on(async {
///         let id = task::current().map(|task| task.id());
///         let debugged = debugged_task(None).map(|task| task.id());
///         assert_eq!(debugged, id.filter(|_| is_debug));
///     });
/// }
/// ```
#[must_use]
#[inline]
pub fn debugged_task(waker: Option<&Waker>) -> Option<TaskInfo> {
    if context::is_debugged() {
        current(waker)
    } else {
        None
    }
}

#[cold]
fn current(waker: Option<&Waker>) -> Option<TaskInfo> {
    let task = context::with_home(|home| home.current.get())??;
    let is_own = waker.is_none_or(|waker| task::is_waker_of(waker, task));
    is_own.then(|| TaskInfo::from(&task::TaskRef::retain(task)))
}

/// Tells the hook of [`SchedulerBuilder::on_report`](crate::SchedulerBuilder::on_report) of the
/// loop that runs on this thread, if one does. Returns whether one does.
///
/// For runtimes that watch more than polls; from other threads, as
/// [`Scheduler::reporter`](crate::Scheduler::reporter).
pub fn report(report: &Report) -> bool {
    context::with_home(|home| home.reporter.report(report)).is_some()
}

//! How the waits of locks and queues see a runtime.

use std::panic::Location;
use std::task::{Context, Poll, Waker};

use ringloop_sync::Host;
use ringloop_sync::deadlock::{Deadlock, TaskLabel};
use ringloop_task::cancel::{CancelWatch, Cancelled};
use ringloop_task::observe::{self, Report, TaskInfo};
use ringloop_task::task;

/// The [`Host`] of the types of this module: waits that belong to a task and its scopes.
#[derive(Debug)]
#[non_exhaustive]
pub enum TaskHost {}

impl Host for TaskHost {
    type Watch = CancelWatch;
    type Cancelled = Cancelled;
    type Outcome<T> = Result<T, Cancelled>;

    #[inline]
    fn watch(at: &'static Location<'static>) -> CancelWatch {
        CancelWatch::at(at)
    }

    #[inline]
    fn poll_begin(watch: &mut CancelWatch, cx: &mut Context<'_>) -> Poll<Result<(), Cancelled>> {
        watch.poll_begin(cx)
    }

    #[inline]
    fn poll_cancelled(watch: &mut CancelWatch, cx: &mut Context<'_>) -> Result<(), Cancelled> {
        watch.poll_cancelled(cx)
    }

    fn stay(watch: &mut CancelWatch) {
        watch.stay();
    }

    #[inline]
    fn task(waker: Option<&Waker>) -> Option<TaskLabel> {
        observe::debugged_task(waker).map(label)
    }

    fn report(deadlock: &Deadlock) {
        let live = task::all_tasks();
        let info = |label: &TaskLabel| {
            let task = live.iter().find(|task| task.id().get() == label.id())?;
            Some(TaskInfo::from(task))
        };
        let tasks = deadlock.circle.iter();
        observe::report(&Report::Deadlock {
            tasks: tasks.filter_map(|blocked| info(&blocked.task)).collect(),
            text: deadlock.to_string(),
        });
    }

    #[inline]
    fn outcome<T>(result: Result<T, Cancelled>) -> Result<T, Cancelled> {
        result
    }
}

#[cold]
fn label(task: TaskInfo) -> TaskLabel {
    TaskLabel::new(task.id().get(), task.name())
}

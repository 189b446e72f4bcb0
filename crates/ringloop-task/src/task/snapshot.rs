//! What is known of a task, to be carried to other threads.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::id::TaskId;
use super::reference::{TaskRef, TaskState};

/// A task as it was at one moment: plain data, `Send`. From [`TaskRef::snapshot`], or from another
/// thread by [`Remote::tasks`](crate::Remote::tasks).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskSnapshot {
    /// The task's number.
    pub id: TaskId,
    /// The task's name.
    pub name: Option<Arc<str>>,
    /// What it was doing.
    pub state: TaskState,
    /// Where it was spawned.
    pub spawned_at: &'static Location<'static>,
    /// Where the wait was begun that it was parked on.
    pub parked_at: Option<&'static Location<'static>>,
    /// How often it was polled.
    pub polls: u64,
    /// How long its polls took; `None` without debug mode.
    pub busy: Option<Duration>,
}

impl TaskRef {
    /// Returns what is known of the task at the moment.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::ThreadDriver;
    /// use ringloop_task::{Scheduler, task};
    ///
    /// Scheduler::new(ThreadDriver::new()).block_on(async {
    ///     let me = task::current().unwrap().snapshot();
    ///     assert_eq!((me.state, me.polls), (task::TaskState::Running, 1));
    /// });
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> TaskSnapshot {
        TaskSnapshot {
            id: self.id(),
            name: self.name(),
            state: self.state(),
            spawned_at: self.spawned_at(),
            parked_at: self.parked_at(),
            polls: self.poll_count(),
            busy: self.busy_time(),
        }
    }
}

//! What nobody can be told but the scheduler's owner.

use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::task::{TaskId, TaskRef, panic_message};

/// The hook of [`SchedulerBuilder::on_unhandled`](crate::SchedulerBuilder::on_unhandled).
pub(crate) type Hook = Box<dyn Fn(&Unhandled)>;

/// The payload of a panic.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Something that happened to a task and that nobody awaits: reported exactly once.
///
/// Counterpart: the context of `loop.call_exception_handler`.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task};
/// use std::cell::RefCell;
/// use std::rc::Rc;
///
/// let log = Rc::new(RefCell::new(Vec::new()));
/// let lines = Rc::clone(&log);
/// let mut scheduler = Scheduler::builder()
///     .on_unhandled(move |unhandled| lines.borrow_mut().push(unhandled.to_string()))
///     .build(ThreadDriver::new());
/// scheduler.block_on(async {
///     drop(task::Builder::new().name("careless").spawn(async { panic!("oops") }));
///     task::yield_now().await
/// })?;
/// assert!(log.borrow()[0].contains("careless"));
/// assert!(log.borrow()[0].contains("oops"));
/// # Ok::<(), ringloop_task::cancel::Cancelled>(())
/// ```
pub struct Unhandled {
    task: Option<TaskRef>,
    kind: UnhandledKind,
    payload: Option<Payload>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnhandledKind {
    /// The task, a [call](crate::call), or a closure of [`Remote::call_soon`](crate::Remote::call_soon), panicked, and
    /// nobody read its output.
    Panic,
    /// The drop of the task's future or output panicked.
    DropPanic,
    /// The task, a child or the body of a [group](crate::group), failed, and its error went unread:
    /// the group panicked, or was dropped.
    Failed,
    /// The scheduler went before the task had ended.
    Aborted,
}

impl Unhandled {
    pub(crate) fn new(
        task: Option<TaskRef>,
        kind: UnhandledKind,
        payload: Option<Payload>,
    ) -> Self {
        Self {
            task,
            kind,
            payload,
        }
    }

    /// Returns what happened.
    #[must_use]
    pub fn kind(&self) -> UnhandledKind {
        self.kind
    }

    /// Returns the task's number, if it was a task.
    #[must_use]
    pub fn id(&self) -> Option<TaskId> {
        self.task.as_ref().map(TaskRef::id)
    }

    /// Returns the task's name.
    #[must_use]
    pub fn name(&self) -> Option<Arc<str>> {
        self.task.as_ref().and_then(TaskRef::name)
    }

    /// Returns where the task was spawned.
    #[must_use]
    pub fn spawned_at(&self) -> Option<&'static Location<'static>> {
        self.task.as_ref().map(TaskRef::spawned_at)
    }

    /// Returns where the wait was begun that the task was parked on, if it was parked and the wait
    /// said so.
    #[must_use]
    pub fn parked_at(&self) -> Option<&'static Location<'static>> {
        self.task.as_ref().and_then(TaskRef::parked_at)
    }

    /// Returns the payload of the panic.
    pub fn payload(&self) -> Option<&(dyn Any + Send)> {
        self.payload.as_deref()
    }
}

impl fmt::Display for Unhandled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.task {
            Some(call) if call.is_call() => {
                write!(f, "a call that was made at {}", call.spawned_at())?;
            }
            Some(task) => {
                write!(f, "task {}", task.id())?;
                if let Some(name) = task.name() {
                    write!(f, " \"{name}\"")?;
                }
                write!(f, ", spawned at {},", task.spawned_at())?;
            }
            None => f.write_str("a closure from another thread")?,
        }
        f.write_str(match self.kind {
            UnhandledKind::Panic => " panicked",
            UnhandledKind::DropPanic => " panicked while it was dropped",
            UnhandledKind::Failed => " failed, and its group went without telling",
            UnhandledKind::Aborted => " was dropped before its end",
        })?;
        if let Some(place) = self.parked_at() {
            write!(f, ", parked at {place}")?;
        }
        match self.payload().and_then(panic_message) {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Unhandled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unhandled")
            .field("task", &self.task)
            .field("kind", &self.kind)
            .finish()
    }
}

//! What nobody can be told but the scheduler's owner.

use std::any::Any;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use crate::context;
use crate::task::{self, TaskId, TaskRef, panic_message};

/// The hook of [`SchedulerBuilder::on_unhandled`](crate::SchedulerBuilder::on_unhandled).
pub(crate) type Hook = Box<dyn Fn(&Unhandled)>;

/// The payload of a panic.
pub(crate) type Payload = Box<dyn Any + Send>;

/// Something that happened to a task, or to work that was handed to a thread, and that nobody awaits:
/// reported exactly once.
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
    subject: Subject,
    kind: UnhandledKind,
    payload: Option<Payload>,
    /// What an error says.
    text: Option<String>,
}

/// What it happened to.
enum Subject {
    Task(TaskRef),
    /// A closure of another thread.
    Closure,
    Work(Work),
}

/// Work that was handed to a thread.
#[derive(Debug)]
struct Work {
    name: Option<Arc<str>>,
    at: &'static Location<'static>,
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
    /// Work on another thread was still running when its runtime had ended. Without a hook, this is
    /// printed to the standard error also outside of debug mode.
    LeftRunning,
    /// Something that the task does for others has failed with an error, and the task goes on: a
    /// handler of a server.
    Error,
    /// The task has run out of descriptors or memory and waits for some, or does so no more: a
    /// server that cannot accept. Without a hook, this is printed to the standard error also outside
    /// of debug mode.
    Exhausted,
}

impl Unhandled {
    pub(crate) fn new(
        task: Option<TaskRef>,
        kind: UnhandledKind,
        payload: Option<Payload>,
    ) -> Self {
        Self {
            subject: task.map_or(Subject::Closure, Subject::Task),
            kind,
            payload,
            text: None,
        }
    }

    /// Makes the report of a panic that was caught in the current task.
    ///
    /// For code that calls others and goes on when they panic.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_core::panics::catch;
    /// use ringloop_task::Unhandled;
    ///
    /// let payload = catch(|| panic!("oops")).unwrap_err();
    /// assert!(Unhandled::of_panic(payload).to_string().ends_with("panicked: oops"));
    /// ```
    #[must_use = "nobody is told yet"]
    pub fn of_panic(payload: Box<dyn Any + Send>) -> Self {
        Self::new(task::current(), UnhandledKind::Panic, Some(payload))
    }

    /// Makes the report of an error in the current task, which goes on.
    ///
    /// For code that calls others and goes on when they fail.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_task::{Unhandled, UnhandledKind};
    ///
    /// let unhandled = Unhandled::of_error(UnhandledKind::Error, "no bread");
    /// assert!(unhandled.to_string().ends_with("met an error: no bread"));
    /// ```
    #[must_use = "nobody is told yet"]
    pub fn of_error(kind: UnhandledKind, text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            ..Self::new(task::current(), kind, None)
        }
    }

    /// Makes the report of work that was handed to a thread at `at`; `payload` is that of its panic.
    ///
    /// For runtimes that hand work to threads, which then [tell](Self::report) the loop that it came
    /// from.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_task::{Unhandled, UnhandledKind};
    /// use std::panic::Location;
    ///
    /// let at = Location::caller();
    /// let name = Some("backup".into());
    /// let left = Unhandled::of_work(UnhandledKind::LeftRunning, name, at, None);
    /// assert!(left.to_string().starts_with("work `backup`, offloaded at "));
    /// ```
    #[must_use = "nobody is told yet"]
    pub fn of_work(
        kind: UnhandledKind,
        name: Option<Arc<str>>,
        at: &'static Location<'static>,
        payload: Option<Box<dyn Any + Send>>,
    ) -> Self {
        Self {
            subject: Subject::Work(Work { name, at }),
            kind,
            payload,
            text: None,
        }
    }

    /// Tells the hook of the loop that runs on this thread, and counts. Outside of a loop nobody is
    /// told; see [`Scheduler::report`](crate::Scheduler::report).
    pub fn report(self) {
        context::with_home(|home| home.tell(self));
    }

    fn task(&self) -> Option<&TaskRef> {
        match &self.subject {
            Subject::Task(task) => Some(task),
            Subject::Closure | Subject::Work(_) => None,
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
        self.task().map(TaskRef::id)
    }

    /// Returns the name of the task or the work.
    #[must_use]
    pub fn name(&self) -> Option<Arc<str>> {
        match &self.subject {
            Subject::Task(task) => task.name(),
            Subject::Closure => None,
            Subject::Work(work) => work.name.clone(),
        }
    }

    /// Returns where the task was spawned, or the work handed over.
    #[must_use]
    pub fn spawned_at(&self) -> Option<&'static Location<'static>> {
        match &self.subject {
            Subject::Task(task) => Some(task.spawned_at()),
            Subject::Closure => None,
            Subject::Work(work) => Some(work.at),
        }
    }

    /// Returns where the wait was begun that the task was parked on, if it was parked and the wait
    /// said so.
    #[must_use]
    pub fn parked_at(&self) -> Option<&'static Location<'static>> {
        self.task().and_then(TaskRef::parked_at)
    }

    /// Returns what the error says, if it was one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Returns the payload of the panic.
    pub fn payload(&self) -> Option<&(dyn Any + Send)> {
        self.payload.as_deref()
    }
}

impl fmt::Display for Unhandled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Subject::Task(call) if call.is_call() => {
                write!(f, "a call that was made at {}", call.spawned_at())?;
            }
            Subject::Task(task) => {
                write!(f, "task {}", task.id())?;
                if let Some(name) = task.name() {
                    write!(f, " \"{name}\"")?;
                }
                write!(f, ", spawned at {},", task.spawned_at())?;
            }
            Subject::Closure => f.write_str("a closure from another thread")?,
            Subject::Work(Work { name, at }) => {
                f.write_str("work")?;
                if let Some(name) = name {
                    write!(f, " `{name}`")?;
                }
                write!(f, ", offloaded at {at},")?;
            }
        }
        f.write_str(match self.kind {
            UnhandledKind::Panic => " panicked",
            UnhandledKind::DropPanic => " panicked while it was dropped",
            UnhandledKind::Failed => " failed, and its group went without telling",
            UnhandledKind::Aborted => " was dropped before its end",
            UnhandledKind::LeftRunning => " was still running when its runtime had ended",
            UnhandledKind::Error => " met an error",
            UnhandledKind::Exhausted => " and what it needs",
        })?;
        if let (None, Some(place)) = (&self.text, self.parked_at()) {
            write!(f, ", parked at {place}")?;
        }
        let text = self.text.as_deref();
        match text.or_else(|| self.payload().and_then(panic_message)) {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Unhandled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unhandled")
            .field("subject", &self.subject)
            .field("kind", &self.kind)
            .finish()
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(task) => task.fmt(f),
            Self::Closure => f.write_str("Closure"),
            Self::Work(work) => work.fmt(f),
        }
    }
}

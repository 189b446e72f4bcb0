//! Why somebody wants something to stop, and the error that says so.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use super::notice::Notice;
use crate::context;
use crate::task::{self, TaskId};

/// Why a task or scope was cancelled: the kind, a text, and the task that asked for it.
///
/// Made from a text for explicit requests: `handle.cancel("not needed")`.
///
/// # Examples
///
/// ```
/// use ringloop_task::cancel::{Reason, ReasonKind};
///
/// let reason = Reason::from("the user closed the window");
/// assert_eq!(reason.kind(), ReasonKind::Explicit);
/// assert_eq!(reason.to_string(), "the user closed the window");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    kind: ReasonKind,
    text: Cow<'static, str>,
    by: Option<TaskId>,
}

/// What kind of thing asked for a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReasonKind {
    /// A deadline has passed.
    Deadline,
    /// Somebody called `cancel`.
    Explicit,
    /// Another member of the task's group failed, or the group was told to end.
    Group,
    /// The user pressed ctrl-c.
    CtrlC,
    /// The scheduler shuts down.
    Shutdown,
}

impl Reason {
    /// Makes a reason of any kind. The running task, if there is one, is noted as the one who
    /// asks.
    pub fn new(kind: ReasonKind, text: impl Into<Cow<'static, str>>) -> Self {
        let by = context::with_home(|home| home.current.get().map(task::id_of)).flatten();
        Self {
            kind,
            text: text.into(),
            by,
        }
    }

    /// Makes the reason of a deadline that has passed.
    #[must_use]
    pub fn deadline() -> Self {
        Self {
            kind: ReasonKind::Deadline,
            text: "the deadline has passed".into(),
            by: None,
        }
    }

    /// Makes the reason of a scheduler that shuts down.
    #[must_use]
    pub fn shutdown() -> Self {
        Self {
            kind: ReasonKind::Shutdown,
            text: "the scheduler shuts down".into(),
            by: None,
        }
    }

    /// Makes the reason of a user who pressed ctrl-c.
    #[must_use]
    pub fn ctrl_c() -> Self {
        Self {
            kind: ReasonKind::CtrlC,
            text: "ctrl-c was pressed".into(),
            by: None,
        }
    }

    /// The reason that a group passes on to its members when it was told to end.
    pub(crate) fn of_group(mut self) -> Self {
        if self.kind == ReasonKind::Explicit {
            self.kind = ReasonKind::Group;
        }
        self
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> ReasonKind {
        self.kind
    }

    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the task that asked, if it was one.
    #[must_use]
    pub fn by(&self) -> Option<TaskId> {
        self.by
    }
}

impl From<&'static str> for Reason {
    fn from(text: &'static str) -> Self {
        Self::new(ReasonKind::Explicit, text)
    }
}

impl From<String> for Reason {
    fn from(text: String) -> Self {
        Self::new(ReasonKind::Explicit, text)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A wait did not happen, because the task or scope that it is in was cancelled.
///
/// Propagate it with `?`: the scope that was cancelled recognizes its own when it comes out, which
/// is why a copy that is kept elsewhere should be a copy of the [`Reason`], not of this.
/// Counterpart: `asyncio.CancelledError`, `trio.Cancelled`.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task, time};
/// use std::time::Duration;
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let child = task::spawn(time::sleep(Duration::MAX));
///     child.cancel("enough");
///     let cancelled = child.await.unwrap().unwrap_err();
///     assert_eq!(cancelled.to_string(), "cancelled: enough");
/// });
/// ```
#[derive(Clone)]
pub struct Cancelled {
    notice: Arc<Notice>,
}

impl Cancelled {
    /// Makes the error of a wait that was cancelled by something that is no task or scope.
    #[must_use]
    pub fn new(reason: Reason) -> Self {
        Self::of(Notice::alone(reason))
    }

    pub(super) fn of(notice: Arc<Notice>) -> Self {
        Self { notice }
    }

    pub(super) fn notice(&self) -> &Notice {
        &self.notice
    }

    /// Returns why.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        self.notice.reason()
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cancelled: {}", self.reason())
    }
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancelled").field(self.reason()).finish()
    }
}

impl Error for Cancelled {}

impl From<Cancelled> for io::Error {
    fn from(cancelled: Cancelled) -> Self {
        Self::other(cancelled)
    }
}

/// Returns whether an I/O error says that the operation was cancelled by its task or scope, also if
/// that is the cause of the error that is inside.
///
/// Every `Cancelled` becomes such an error by `?` in a function that returns [`io::Result`].
///
/// # Examples
///
/// ```
/// use ringloop_task::cancel::{Cancelled, Reason, is_cancelled};
/// use std::io;
///
/// let cancelled = Cancelled::new(Reason::from("enough"));
/// assert!(is_cancelled(&io::Error::from(cancelled)));
/// assert!(!is_cancelled(&io::Error::from(io::ErrorKind::Interrupted)));
/// ```
#[must_use]
pub fn is_cancelled(error: &io::Error) -> bool {
    let Some(inside) = error.get_ref() else {
        return false;
    };
    let mut next: Option<&(dyn Error + 'static)> = Some(inside);
    while let Some(error) = next {
        if error.is::<Cancelled>() {
            return true;
        }
        // The source of an I/O error is that of what is inside it.
        next = match error.downcast_ref::<io::Error>() {
            Some(error) => error.get_ref().map(|inside| inside as _),
            None => error.source(),
        };
    }
    false
}

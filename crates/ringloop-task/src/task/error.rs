//! Why a task has no output.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;
use std::panic;
use std::sync::{Mutex, PoisonError};

use super::id::TaskId;
use crate::cancel::{Cancelled, Reason, check_cancelled};

/// A task ended without an output: it panicked, was aborted, or its scheduler is gone.
///
/// A task that was *cancelled* is rarely among these: its future runs to its end and returns
/// something, usually an `Err(Cancelled)` of its own. Only one that waits for nothing but futures
/// that know nothing of cancellation is dropped where it is.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task};
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     let child = task::spawn(std::future::pending::<()>());
///     child.abort();
///     assert!(child.await.is_err_and(|error| error.is_aborted()));
/// });
/// ```
pub struct JoinError {
    // One word, so that it costs the output nothing.
    failure: Box<Failure>,
}

struct Failure {
    task: Option<TaskId>,
    cause: Cause,
}

enum Cause {
    Panicked(Payload),
    Aborted,
    Cancelled(Cancelled),
    Failed,
    Gone,
}

/// A panic's payload. The lock makes it `Sync`, which errors should be.
struct Payload(Mutex<Box<dyn Any + Send>>);

impl JoinError {
    pub(crate) fn panicked(task: Option<TaskId>, payload: Box<dyn Any + Send>) -> Self {
        Self::from_cause(task, Cause::Panicked(Payload(Mutex::new(payload))))
    }

    pub(crate) fn aborted(task: TaskId) -> Self {
        Self::from_cause(Some(task), Cause::Aborted)
    }

    pub(crate) fn cancelled(task: Option<TaskId>, cancelled: Cancelled) -> Self {
        Self::from_cause(task, Cause::Cancelled(cancelled))
    }

    pub(crate) fn failed(task: TaskId) -> Self {
        Self::from_cause(Some(task), Cause::Failed)
    }

    pub(crate) fn gone(task: Option<TaskId>) -> Self {
        Self::from_cause(task, Cause::Gone)
    }

    fn from_cause(task: Option<TaskId>, cause: Cause) -> Self {
        Self {
            failure: Box::new(Failure { task, cause }),
        }
    }

    /// Returns whether the task panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(self.failure.cause, Cause::Panicked(_))
    }

    /// Returns whether the task's future was dropped before its end: by `abort`, or because the
    /// grace of a shutdown was over.
    #[must_use]
    pub fn is_aborted(&self) -> bool {
        matches!(self.failure.cause, Cause::Aborted)
    }

    /// Returns whether the task was asked to cancel while it waited for something that cannot be
    /// told, and was dropped there.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self.failure.cause, Cause::Cancelled(_))
    }

    /// Returns why the task was asked to cancel, if [that ended it](Self::is_cancelled).
    #[must_use]
    pub fn reason(&self) -> Option<&Reason> {
        match &self.failure.cause {
            Cause::Cancelled(cancelled) => Some(cancelled.reason()),
            Cause::Panicked(_) | Cause::Aborted | Cause::Failed | Cause::Gone => None,
        }
    }

    /// Returns whether the task, a child of a [group](crate::group), failed or panicked: its
    /// group has the error, or the panic.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        matches!(self.failure.cause, Cause::Failed)
    }

    /// The same error as it is told to somebody who waits here and now. If that is in a cancelled
    /// scope, a task that was cancelled was so for the sake of that scope, which recognizes the
    /// error as its own.
    pub(crate) fn told_here(mut self) -> Self {
        if let Cause::Cancelled(cancelled) = &mut self.failure.cause
            && let Err(own) = check_cancelled()
        {
            *cancelled = own;
        }
        self
    }

    /// Returns whether the scheduler was gone before the task could run or send its output.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self.failure.cause, Cause::Gone)
    }

    /// Returns the task, if it came to be one.
    #[must_use]
    pub fn task(&self) -> Option<TaskId> {
        self.failure.task
    }

    /// Returns the panic's payload, as `std::thread::JoinHandle::join` does.
    ///
    /// # Errors
    ///
    /// The error itself, if the task did not panic.
    pub fn into_panic(self) -> Result<Box<dyn Any + Send>, Self> {
        let Failure { task, cause } = *self.failure;
        match cause {
            Cause::Panicked(Payload(lock)) => {
                Ok(lock.into_inner().unwrap_or_else(PoisonError::into_inner))
            }
            cause @ (Cause::Aborted | Cause::Cancelled(_) | Cause::Failed | Cause::Gone) => {
                Err(Self::from_cause(task, cause))
            }
        }
    }

    /// Continues the task's panic on this thread. Other errors panic with their message.
    ///
    /// # Panics
    ///
    /// Always: that is what it is for.
    #[track_caller]
    pub fn resume(self) -> ! {
        match self.into_panic() {
            Ok(payload) => panic::resume_unwind(payload),
            Err(error) => panic!("{error}"),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failure.task {
            Some(id) => write!(f, "task {id} ")?,
            None => f.write_str("the task ")?,
        }
        match &self.failure.cause {
            Cause::Panicked(Payload(lock)) => {
                let payload = lock.lock().unwrap_or_else(PoisonError::into_inner);
                match panic_message(&**payload) {
                    Some(message) => write!(f, "panicked: {message}"),
                    None => f.write_str("panicked"),
                }
            }
            Cause::Aborted => f.write_str("was aborted"),
            Cause::Cancelled(cancelled) => write!(f, "was {cancelled}"),
            Cause::Failed => f.write_str("failed; its group has the error"),
            Cause::Gone => f.write_str("has no output: the scheduler is gone"),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> Self {
        Self::other(error)
    }
}

/// Returns the text of a panic that was raised with one.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> Option<&str> {
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

//! Why a result did not come home.

use std::error::Error;
use std::fmt;
use std::io;
use std::panic;
use std::sync::{Mutex, PoisonError};

use crate::contain::Payload;
use crate::job::Reason;

/// Why an offloaded closure has no result: it panicked, was cancelled, or was not taken.
///
/// A [rejected](Self::is_rejected) closure never ran, and nor did one that [`Offload::cancel`] took
/// out of its queue. Under a runtime whose waits can be cancelled, a closure that runs may be left
/// behind: that, too, [is a cancellation](Self::is_cancelled).
///
/// [`Offload::cancel`]: crate::Offload::cancel
///
/// # Examples
///
/// ```
/// use ringloop_offload::{Executor, Job, OffloadError};
///
/// fn describe(error: &OffloadError) -> &'static str {
///     if error.is_panic() {
///         "it panicked"
///     } else if error.is_cancelled() {
///         "it was cancelled"
///     } else {
///         "nobody would run it"
///     }
/// }
/// ```
pub struct OffloadError {
    kind: Kind,
}

/// Why an executor did not run a job, in its own words.
pub(crate) type Refusal = Box<dyn Error + Send + Sync>;

enum Kind {
    /// Taken out of its queue.
    Withdrawn(Option<Reason>),
    /// Not waited for.
    Left(Refusal),
    Panicked(Box<Panicked>),
    Rejected(Option<Refusal>),
}

struct Panicked {
    // A payload may be sent but not shared; the mutex lets the error itself be shared.
    payload: Mutex<Payload>,
    message: Option<String>,
}

impl OffloadError {
    pub(crate) fn withdrawn(reason: Option<Reason>) -> Self {
        Self {
            kind: Kind::Withdrawn(reason),
        }
    }

    /// Makes the error of a job whose closure panicked with `payload`, for those who run closures on
    /// behalf of others.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_offload::OffloadError;
    ///
    /// let payload = std::panic::catch_unwind(|| panic!("no such table")).unwrap_err();
    /// assert_eq!(OffloadError::panicked(payload).panic_message(), Some("no such table"));
    /// ```
    #[must_use]
    pub fn panicked(payload: Box<dyn std::any::Any + Send>) -> Self {
        let text = payload.downcast_ref::<&'static str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let message = text.map(str::to_owned);
        Self {
            kind: Kind::Panicked(Box::new(Panicked {
                payload: Mutex::new(payload),
                message,
            })),
        }
    }

    pub(crate) fn rejected(reason: Option<Refusal>) -> Self {
        Self {
            kind: Kind::Rejected(reason),
        }
    }

    /// Returns the payload of the panic.
    ///
    /// # Panics
    ///
    /// If the job did not panic. [`try_into_panic`](Self::try_into_panic) does not.
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn std::any::Any + Send> {
        match self.try_into_panic() {
            Ok(payload) => payload,
            Err(error) => panic!("not a panic: {error}"),
        }
    }

    /// Returns the payload of the panic, for `std::panic::resume_unwind` or a downcast.
    ///
    /// # Errors
    ///
    /// The error itself, if the job did not panic.
    pub fn try_into_panic(self) -> Result<Box<dyn std::any::Any + Send>, Self> {
        match self.kind {
            Kind::Panicked(panicked) => Ok(panicked
                .payload
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)),
            kind @ (Kind::Withdrawn(_) | Kind::Left(_) | Kind::Rejected(_)) => Err(Self { kind }),
        }
    }

    /// Goes on with the job's panic on this thread, if it was one.
    ///
    /// # Errors
    ///
    /// The error itself, if the job did not panic.
    ///
    /// # Panics
    ///
    /// With the job's payload, if the job panicked.
    pub fn resume_panic(self) -> Result<(), Self> {
        self.try_into_panic()
            .map(|payload| panic::resume_unwind(payload))
    }

    /// Returns whether the closure, or the destructor of something it captured, panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.kind, Kind::Panicked(_))
    }

    /// Makes the error of a wait that was cancelled, for a runtime that has such waits.
    ///
    /// The [source](Error::source) is `reason`.
    pub fn cancelled_by(reason: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind: Kind::Left(reason.into()),
        }
    }

    /// Returns whether the job was cancelled: it never ran, or its result is not waited for.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.kind, Kind::Withdrawn(_) | Kind::Left(_))
    }

    /// Returns whether the executor did not take the job, or dropped it later: it never ran.
    ///
    /// The [source](Error::source) is the executor's reason, if it gave one; a
    /// [`ThreadPool`](crate::ThreadPool) gives a [`PoolError`](crate::PoolError).
    pub fn is_rejected(&self) -> bool {
        matches!(self.kind, Kind::Rejected(_))
    }

    /// Returns what the panic said, if it was a panic with a text.
    pub fn panic_message(&self) -> Option<&str> {
        match &self.kind {
            Kind::Panicked(panicked) => panicked.message.as_deref(),
            Kind::Withdrawn(_) | Kind::Left(_) | Kind::Rejected(_) => None,
        }
    }
}

impl fmt::Display for OffloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Withdrawn(None) => f.write_str("the job was cancelled before it started"),
            Kind::Withdrawn(Some(reason)) => {
                write!(f, "the job was cancelled before it started: {reason}")
            }
            Kind::Left(reason) => write!(f, "the job was not waited for: {reason}"),
            Kind::Panicked(panicked) => match &panicked.message {
                Some(message) => write!(f, "the job panicked: {message}"),
                None => f.write_str("the job panicked"),
            },
            Kind::Rejected(None) => f.write_str("the executor did not run the job"),
            Kind::Rejected(Some(reason)) => {
                write!(f, "the executor did not run the job: {reason}")
            }
        }
    }
}

impl fmt::Debug for OffloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Withdrawn(reason) => f.debug_tuple("Withdrawn").field(reason).finish(),
            Kind::Left(reason) => f.debug_tuple("Left").field(reason).finish(),
            Kind::Panicked(panicked) => f.debug_tuple("Panicked").field(&panicked.message).finish(),
            Kind::Rejected(reason) => f.debug_tuple("Rejected").field(reason).finish(),
        }
    }
}

impl Error for OffloadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            Kind::Withdrawn(Some(reason)) => Some(&**reason),
            Kind::Rejected(Some(reason)) | Kind::Left(reason) => Some(&**reason),
            Kind::Rejected(None) | Kind::Withdrawn(None) | Kind::Panicked(_) => None,
        }
    }
}

/// A cancelled wait becomes its reason, so that a runtime recognizes its own cancellation;
/// everything else is wrapped as it is.
impl From<OffloadError> for io::Error {
    fn from(error: OffloadError) -> Self {
        match error.kind {
            Kind::Left(reason) => Self::other(reason),
            kind @ (Kind::Withdrawn(_) | Kind::Panicked(_) | Kind::Rejected(_)) => {
                Self::other(OffloadError { kind })
            }
        }
    }
}

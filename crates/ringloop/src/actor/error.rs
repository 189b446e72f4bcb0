//! What can go wrong with actors, and between them.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::io;
use std::panic::resume_unwind;

use crate::Cancelled;

/// A message was not told; it is in here.
#[derive(Clone)]
#[non_exhaustive]
pub enum TellError<M> {
    /// The inbox is full.
    Full(M),
    /// The actor was stopped or has ended.
    Stopped(M),
    /// The wait for room was cancelled.
    Cancelled(M, Cancelled),
}

impl<M> TellError<M> {
    /// Returns the message.
    pub fn into_message(self) -> M {
        match self {
            Self::Full(message) | Self::Stopped(message) | Self::Cancelled(message, _) => message,
        }
    }

    /// Returns whether the inbox was full.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Returns whether the actor was stopped or has ended.
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        matches!(self, Self::Stopped(_))
    }

    /// Returns whether the wait was cancelled.
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(..))
    }
}

const STOPPED: &str = "the actor has stopped; the handle of its task says how";

impl<M> fmt::Display for TellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("the inbox of the actor is full; `tell` waits for room"),
            Self::Stopped(_) => f.write_str(STOPPED),
            Self::Cancelled(_, cancelled) => write!(f, "the message was not told: {cancelled}"),
        }
    }
}

impl<M> fmt::Debug for TellError<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(_) => f.write_str("Full(..)"),
            Self::Stopped(_) => f.write_str("Stopped(..)"),
            Self::Cancelled(_, cancelled) => write!(f, "Cancelled(.., {cancelled:?})"),
        }
    }
}

impl<M> Error for TellError<M> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Full(_) | Self::Stopped(_) => None,
            Self::Cancelled(_, cancelled) => Some(cancelled),
        }
    }
}

impl<M> From<TellError<M>> for io::Error {
    fn from(error: TellError<M>) -> Self {
        let kind = match error {
            TellError::Full(_) => io::ErrorKind::WouldBlock,
            TellError::Stopped(_) => io::ErrorKind::BrokenPipe,
            TellError::Cancelled(_, cancelled) => return cancelled.into(),
        };
        Self::new(kind, error.to_string())
    }
}

/// A question has no answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum AskError {
    /// The actor was stopped or had ended: it was not asked.
    Stopped,
    /// The actor failed over the question, ended before it came to it, or dropped the reply.
    Unanswered,
    /// The wait was cancelled.
    Cancelled(Cancelled),
}

impl AskError {
    pub(super) fn of_tell<M>(error: TellError<M>) -> Self {
        match error {
            TellError::Full(_) | TellError::Stopped(_) => Self::Stopped,
            TellError::Cancelled(_, cancelled) => Self::Cancelled(cancelled),
        }
    }
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str(STOPPED),
            Self::Unanswered => f.write_str(
                "the actor did not answer: it failed over the question, ended before, or dropped \
                 the `Reply`; the handle of its task says which",
            ),
            Self::Cancelled(cancelled) => cancelled.fmt(f),
        }
    }
}

impl Error for AskError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Stopped | Self::Unanswered => None,
            Self::Cancelled(cancelled) => Some(cancelled),
        }
    }
}

impl From<AskError> for io::Error {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Stopped | AskError::Unanswered => Self::new(io::ErrorKind::BrokenPipe, error),
            AskError::Cancelled(cancelled) => cancelled.into(),
        }
    }
}

/// Why an actor has ended otherwise than by being stopped.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ActorError<E> {
    /// It failed: one of its hooks has returned this.
    #[non_exhaustive]
    Failed {
        /// What the hook returned.
        error: E,
        /// How often the actor had been made anew.
        restarts: u32,
    },
    /// Its task was cancelled.
    Cancelled(Cancelled),
}

impl<E: fmt::Display> fmt::Display for ActorError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { error, restarts: 0 } => write!(f, "the actor failed: {error}"),
            Self::Failed { error, restarts } => {
                write!(f, "the actor failed, after {restarts} restarts: {error}")
            }
            Self::Cancelled(cancelled) => write!(f, "the actor was {cancelled}"),
        }
    }
}

impl<E: Error + 'static> Error for ActorError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Failed { error, .. } => Some(error),
            Self::Cancelled(cancelled) => Some(cancelled),
        }
    }
}

/// For actors in groups of tasks that fail with [`io::Error`].
impl<E: Into<Self>> From<ActorError<E>> for io::Error {
    fn from(error: ActorError<E>) -> Self {
        match error {
            ActorError::Failed { error, .. } => error.into(),
            ActorError::Cancelled(cancelled) => cancelled.into(),
        }
    }
}

/// Why an actor is made anew.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure<E> {
    /// One of its hooks has returned this.
    Error(E),
    /// One of its hooks panicked with this.
    Panic(Box<dyn Any + Send>),
}

impl<E> Failure<E> {
    /// What becomes of the last failure.
    pub(super) fn into_end<A>(self, restarts: u32) -> Result<A, ActorError<E>> {
        match self {
            Self::Error(error) => Err(ActorError::Failed { error, restarts }),
            Self::Panic(payload) => resume_unwind(payload),
        }
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Panic(payload) => {
                let text = (payload.downcast_ref::<&str>().copied())
                    .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
                match text {
                    Some(text) => write!(f, "a panic: {text}"),
                    None => f.write_str("a panic"),
                }
            }
        }
    }
}

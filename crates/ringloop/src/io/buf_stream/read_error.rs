//! What a read of a piece of a stream can say.

use std::error::Error;
use std::fmt;
use std::io;

use ringloop_task::cancel::{Cancelled, is_cancelled};

/// Why a piece of a [`BufStream`](super::BufStream) could not be read.
///
/// It becomes an [`io::Error`] by `?`: `InvalidData` for a piece over the limit, `UnexpectedEof`
/// for one that is not complete, each with this inside.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// No separator comes within the limit. Everything is in the stream still.
    #[doc(alias = "LimitOverrunError")]
    LimitOverrun {
        /// How many bytes are there for sure before a separator.
        consumed: usize,
    },
    /// The end came first.
    #[doc(alias = "IncompleteReadError")]
    Incomplete {
        /// What there was, which is not in the stream any more.
        partial: Vec<u8>,
        /// How much it should have been, if that was said.
        expected: Option<usize>,
    },
    /// The stream failed, or the wait was cancelled. Everything that came before is in the stream
    /// still.
    Io(io::Error),
}

impl ReadError {
    /// Returns whether the read was cancelled by its task or scope.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Io(error) if is_cancelled(error))
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LimitOverrun { consumed } => {
                write!(f, "no separator within the limit, after {consumed} bytes")
            }
            Self::Incomplete {
                partial,
                expected: Some(expected),
            } => {
                let count = partial.len();
                write!(f, "the stream ended after {count} of {expected} bytes")
            }
            Self::Incomplete { partial, .. } => {
                let count = partial.len();
                write!(
                    f,
                    "the stream ended after {count} bytes, without a separator"
                )
            }
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::LimitOverrun { .. } | Self::Incomplete { .. } => None,
            Self::Io(error) => error.get_ref().map(|inside| inside as _),
        }
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Cancelled> for ReadError {
    fn from(cancelled: Cancelled) -> Self {
        Self::Io(cancelled.into())
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::LimitOverrun { .. } => Self::new(io::ErrorKind::InvalidData, error),
            ReadError::Incomplete { .. } => Self::new(io::ErrorKind::UnexpectedEof, error),
            ReadError::Io(error) => error,
        }
    }
}

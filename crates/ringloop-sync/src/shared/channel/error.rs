//! Why an item was not sent, or none was received, in time.

use std::error::Error;
use std::fmt;
use std::io;

/// Why an item was not [sent](crate::shared::hosted::Sender::blocking_send_timeout) in time; it has
/// the item.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendTimeoutError<T> {
    /// There was no room for the item before the timeout.
    Timeout(T),
    /// All receivers are gone, or the channel was closed, before there was room for the item.
    Closed(T),
}

impl<T> SendTimeoutError<T> {
    /// Returns the item, which was not sent.
    pub fn into_item(self) -> T {
        match self {
            Self::Timeout(item) | Self::Closed(item) => item,
        }
    }

    /// Returns whether the timeout has passed.
    #[must_use]
    pub const fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_))
    }

    /// Returns whether the channel has ended.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    fn text(&self) -> &'static str {
        match self {
            Self::Timeout(_) => "the channel stayed full: receive faster, or wait longer",
            Self::Closed(_) => {
                "the channel is closed or has no receiver left; `into_item` gives the item back"
            }
        }
    }
}

impl<T> fmt::Display for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

// The item need not be `Debug`.
impl<T> fmt::Debug for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout(_) => "Timeout(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> Error for SendTimeoutError<T> {}

/// A full channel has timed out, an ended one is a broken pipe; the item is dropped.
impl<T> From<SendTimeoutError<T>> for io::Error {
    fn from(error: SendTimeoutError<T>) -> Self {
        let kind = match error {
            SendTimeoutError::Timeout(_) => io::ErrorKind::TimedOut,
            SendTimeoutError::Closed(_) => io::ErrorKind::BrokenPipe,
        };
        Self::new(kind, error.text())
    }
}

/// Why no item was [received](crate::shared::hosted::Receiver::blocking_recv_timeout) in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvTimeoutError {
    /// There was no item before the timeout.
    Timeout,
    /// All senders are gone, or the channel was closed, and no item is left.
    Closed,
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "no item came in time: send sooner, or wait longer",
            Self::Closed => {
                "the channel is closed or has no sender left, and nothing is left in it"
            }
        })
    }
}

impl Error for RecvTimeoutError {}

/// An empty channel has timed out, an ended one is an unexpected end.
impl From<RecvTimeoutError> for io::Error {
    fn from(error: RecvTimeoutError) -> Self {
        let kind = match error {
            RecvTimeoutError::Timeout => io::ErrorKind::TimedOut,
            RecvTimeoutError::Closed => io::ErrorKind::UnexpectedEof,
        };
        Self::new(kind, error)
    }
}

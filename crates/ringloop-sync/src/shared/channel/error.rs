//! Why an item was not sent, or none was received.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io;

/// Why an item was not [sent](super::Sender::send); it has the item.
///
/// `C` is what a cancelled wait says: [`Infallible`] on [`AnyExecutor`](crate::AnyExecutor), where
/// no wait is cancelled.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError<T, C = Infallible> {
    /// The channel was closed, or lost its last receiver, before the item was let in.
    Closed(T),
    /// The wait was cancelled before the item was let in.
    Cancelled(T, C),
}

/// Why an item was not [sent](super::Sender::try_send) at once; it has the item.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrySendError<T> {
    /// There is no place, and no receiver that waits.
    Full(T),
    /// The channel is closed, or has no receiver.
    Closed(T),
}

/// Why an item was not [sent](super::Sender::blocking_send_timeout) in time; it has the item.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendTimeoutError<T> {
    /// There was no place before the timeout.
    Timeout(T),
    /// The channel was closed, or lost its last receiver, before the item was let in.
    Closed(T),
}

/// Why no item was [received](super::Receiver::recv).
///
/// `C` is as for [`SendError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError<C = Infallible> {
    /// The channel is closed, or has no sender, and everything was received.
    Closed,
    /// The wait was cancelled.
    Cancelled(C),
}

/// Why no item was [received](super::Receiver::try_recv) at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryRecvError {
    /// There is none that is not on its way to a receiver that came before.
    Empty,
    /// The channel is closed, or has no sender, and everything was received.
    Closed,
}

/// Why no item was [received](super::Receiver::blocking_recv_timeout) in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvTimeoutError {
    /// There was none before the timeout.
    Timeout,
    /// The channel is closed, or has no sender, and everything was received.
    Closed,
}

impl<T, C> SendError<T, C> {
    /// Returns the item.
    pub fn into_item(self) -> T {
        match self {
            Self::Closed(item) | Self::Cancelled(item, _) => item,
        }
    }
}

impl<T> TrySendError<T> {
    /// Returns the item.
    pub fn into_item(self) -> T {
        match self {
            Self::Full(item) | Self::Closed(item) => item,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Full(_) => "Full",
            Self::Closed(_) => "Closed",
        }
    }
}

impl<T> SendTimeoutError<T> {
    /// Returns the item.
    pub fn into_item(self) -> T {
        match self {
            Self::Timeout(item) | Self::Closed(item) => item,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Timeout(_) => "Timeout",
            Self::Closed(_) => "Closed",
        }
    }
}

const SEND_CLOSED: &str = "the channel is closed or has no receiver: keep one that receives";
const RECV_CLOSED: &str = "the channel is closed or has no sender, and everything was received";

impl<T, C: fmt::Display> fmt::Display for SendError<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str(SEND_CLOSED),
            Self::Cancelled(_, cancelled) => write!(f, "the item was not sent: {cancelled}"),
        }
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "the channel is full; `send` waits for a place",
            Self::Closed(_) => SEND_CLOSED,
        })
    }
}

impl<T> fmt::Display for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout(_) => "the channel stayed full: receive faster, or wait longer",
            Self::Closed(_) => SEND_CLOSED,
        })
    }
}

impl<C: fmt::Display> fmt::Display for RecvError<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str(RECV_CLOSED),
            Self::Cancelled(cancelled) => write!(f, "no item was received: {cancelled}"),
        }
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "no item is there; `recv` waits for one",
            Self::Closed => RECV_CLOSED,
        })
    }
}

impl fmt::Display for RecvTimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "no item came in time: send sooner, or wait longer",
            Self::Closed => RECV_CLOSED,
        })
    }
}

// The item need not be `Debug`.

impl<T, C: fmt::Debug> fmt::Debug for SendError<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str("Closed(..)"),
            Self::Cancelled(_, cancelled) => write!(f, "Cancelled(.., {cancelled:?})"),
        }
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(..)", self.name())
    }
}

impl<T> fmt::Debug for SendTimeoutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(..)", self.name())
    }
}

impl<T, C: Error + 'static> Error for SendError<T, C> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Closed(_) => None,
            Self::Cancelled(_, cancelled) => Some(cancelled),
        }
    }
}

impl<C: Error + 'static> Error for RecvError<C> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Closed => None,
            Self::Cancelled(cancelled) => Some(cancelled),
        }
    }
}

impl<T> Error for TrySendError<T> {}
impl<T> Error for SendTimeoutError<T> {}
impl Error for TryRecvError {}
impl Error for RecvTimeoutError {}

/// A cancelled wait becomes its reason, a closed channel a broken pipe; the item is dropped.
impl<T, C: Into<Self>> From<SendError<T, C>> for io::Error {
    fn from(error: SendError<T, C>) -> Self {
        match error {
            SendError::Closed(_) => Self::new(io::ErrorKind::BrokenPipe, SEND_CLOSED),
            SendError::Cancelled(_, cancelled) => cancelled.into(),
        }
    }
}

/// A cancelled wait becomes its reason, a closed channel the end of the file.
impl<C: Into<Self>> From<RecvError<C>> for io::Error {
    fn from(error: RecvError<C>) -> Self {
        match error {
            RecvError::Closed => Self::new(io::ErrorKind::UnexpectedEof, RECV_CLOSED),
            RecvError::Cancelled(cancelled) => cancelled.into(),
        }
    }
}

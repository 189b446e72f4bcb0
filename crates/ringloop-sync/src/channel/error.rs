//! Why an item was not sent, or none was received.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io;

/// Why an item was not [sent](crate::hosted::Sender::send); it has the item.
///
/// `C` is what a cancelled wait says: [`Infallible`] on
/// [`AnyExecutor`](crate::AnyExecutor), where no wait is cancelled.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError<T, C = Infallible> {
    /// All receivers are gone, or the channel was closed, before there was room for the item.
    Closed(T),
    /// The wait was cancelled before there was room for the item.
    Cancelled(T, C),
}

impl<T, C> SendError<T, C> {
    /// Returns the item, which was not sent.
    pub fn into_item(self) -> T {
        match self {
            Self::Closed(item) | Self::Cancelled(item, _) => item,
        }
    }

    /// Returns whether the channel has ended.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    /// Returns whether the wait was cancelled.
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(..))
    }
}

impl<T, C: fmt::Display> fmt::Display for SendError<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str(SEND_CLOSED),
            Self::Cancelled(_, cancelled) => write!(f, "the item was not sent: {cancelled}"),
        }
    }
}

impl<T, C: fmt::Debug> fmt::Debug for SendError<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str("Closed(..)"),
            Self::Cancelled(_, cancelled) => write!(f, "Cancelled(.., {cancelled:?})"),
        }
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

/// A cancelled wait becomes its reason, an ended channel a broken pipe; the item is dropped.
impl<T, C: Error + Send + Sync + 'static> From<SendError<T, C>> for io::Error {
    fn from(error: SendError<T, C>) -> Self {
        match error {
            SendError::Closed(_) => Self::new(io::ErrorKind::BrokenPipe, SEND_CLOSED),
            SendError::Cancelled(_, cancelled) => Self::other(cancelled),
        }
    }
}

/// Why an item was not [sent](crate::hosted::Sender::try_send) at once; it has the item.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TrySendError<T> {
    /// There is no room for the item.
    Full(T),
    /// All receivers are gone, or the channel was closed.
    Closed(T),
}

impl<T> TrySendError<T> {
    /// Returns the item, which was not sent.
    pub fn into_item(self) -> T {
        match self {
            Self::Full(item) | Self::Closed(item) => item,
        }
    }

    /// Returns whether there was no room.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Returns whether the channel has ended.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    fn text(&self) -> &'static str {
        match self {
            Self::Full(_) => "the channel is full; `send` waits for room",
            Self::Closed(_) => SEND_CLOSED,
        }
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> Error for TrySendError<T> {}

/// A full channel would block, an ended one is a broken pipe; the item is dropped.
impl<T> From<TrySendError<T>> for io::Error {
    fn from(error: TrySendError<T>) -> Self {
        let kind = match error {
            TrySendError::Full(_) => io::ErrorKind::WouldBlock,
            TrySendError::Closed(_) => io::ErrorKind::BrokenPipe,
        };
        Self::new(kind, error.text())
    }
}

/// Why no item was [received](crate::hosted::Receiver::recv).
///
/// `C` is what a cancelled wait says: [`Infallible`] on
/// [`AnyExecutor`](crate::AnyExecutor), where no wait is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError<C = Infallible> {
    /// All senders are gone, or the channel was closed, and no item is left.
    Closed,
    /// The wait was cancelled before there was an item.
    Cancelled(C),
}

impl<C> RecvError<C> {
    /// Returns whether the channel has ended.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }

    /// Returns whether the wait was cancelled.
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(_))
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

impl<C: Error + 'static> Error for RecvError<C> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Closed => None,
            Self::Cancelled(cancelled) => Some(cancelled),
        }
    }
}

/// A cancelled wait becomes its reason, an ended channel an unexpected end.
impl<C: Error + Send + Sync + 'static> From<RecvError<C>> for io::Error {
    fn from(error: RecvError<C>) -> Self {
        match error {
            RecvError::Closed => Self::new(io::ErrorKind::UnexpectedEof, RECV_CLOSED),
            RecvError::Cancelled(cancelled) => Self::other(cancelled),
        }
    }
}

/// Why no item was [received](crate::hosted::Receiver::try_recv) at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryRecvError {
    /// There is no item, or none that is not on its way to somebody.
    Empty,
    /// All senders are gone, or the channel was closed, and no item is left.
    Closed,
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the channel is empty; `recv` waits for an item",
            Self::Closed => RECV_CLOSED,
        })
    }
}

impl Error for TryRecvError {}

/// An empty channel would block, an ended one is an unexpected end.
impl From<TryRecvError> for io::Error {
    fn from(error: TryRecvError) -> Self {
        let kind = match error {
            TryRecvError::Empty => io::ErrorKind::WouldBlock,
            TryRecvError::Closed => io::ErrorKind::UnexpectedEof,
        };
        Self::new(kind, error)
    }
}

const SEND_CLOSED: &str =
    "the channel is closed or has no receiver left; `into_item` gives the item back";
const RECV_CLOSED: &str = "the channel is closed or has no sender left, and nothing is left in it";

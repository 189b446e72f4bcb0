//! Why an item was not put, or none was got.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io;

/// Why an item was not [put](crate::hosted::Queue::put); it has the item.
///
/// `C` is what a cancelled wait says: [`Infallible`] on
/// [`AnyExecutor`](crate::AnyExecutor), where no wait is cancelled.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PutError<T, C = Infallible> {
    /// The queue was closed before there was room for the item.
    Closed(T),
    /// The wait was cancelled before there was room for the item.
    Cancelled(T, C),
}

impl<T, C> PutError<T, C> {
    /// Returns the item, which is not in the queue.
    pub fn into_item(self) -> T {
        match self {
            Self::Closed(item) | Self::Cancelled(item, _) => item,
        }
    }

    /// Returns whether the queue was closed.
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

impl<T, C: fmt::Display> fmt::Display for PutError<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str(PUT_CLOSED),
            Self::Cancelled(_, cancelled) => write!(f, "the item was not put: {cancelled}"),
        }
    }
}

impl<T, C: fmt::Debug> fmt::Debug for PutError<T, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str("Closed(..)"),
            Self::Cancelled(_, cancelled) => write!(f, "Cancelled(.., {cancelled:?})"),
        }
    }
}

impl<T, C: Error + 'static> Error for PutError<T, C> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Closed(_) => None,
            Self::Cancelled(_, cancelled) => Some(cancelled),
        }
    }
}

/// A cancelled wait becomes its reason, a closed queue a broken pipe; the item is dropped.
impl<T, C: Error + Send + Sync + 'static> From<PutError<T, C>> for io::Error {
    fn from(error: PutError<T, C>) -> Self {
        match error {
            PutError::Closed(_) => Self::new(io::ErrorKind::BrokenPipe, PUT_CLOSED),
            PutError::Cancelled(_, cancelled) => Self::other(cancelled),
        }
    }
}

/// Why an item was not [put](crate::hosted::Queue::try_put) at once; it has the item.
#[doc(alias = "QueueFull")]
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryPutError<T> {
    /// There is no room for the item.
    Full(T),
    /// The queue is closed.
    Closed(T),
}

impl<T> TryPutError<T> {
    /// Returns the item, which is not in the queue.
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

    /// Returns whether the queue was closed.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        matches!(self, Self::Closed(_))
    }

    fn text(&self) -> &'static str {
        match self {
            Self::Full(_) => "the queue is full; `put` waits for room",
            Self::Closed(_) => PUT_CLOSED,
        }
    }
}

impl<T> fmt::Display for TryPutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl<T> fmt::Debug for TryPutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
        })
    }
}

impl<T> Error for TryPutError<T> {}

/// A full queue would block, a closed one is a broken pipe; the item is dropped.
impl<T> From<TryPutError<T>> for io::Error {
    fn from(error: TryPutError<T>) -> Self {
        let kind = match error {
            TryPutError::Full(_) => io::ErrorKind::WouldBlock,
            TryPutError::Closed(_) => io::ErrorKind::BrokenPipe,
        };
        Self::new(kind, error.text())
    }
}

/// Why no item was [got](crate::hosted::Queue::get).
///
/// `C` is what a cancelled wait says: [`Infallible`] on
/// [`AnyExecutor`](crate::AnyExecutor), where no wait is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GetError<C = Infallible> {
    /// The queue is closed, and no item is left.
    Closed,
    /// The wait was cancelled before there was an item.
    Cancelled(C),
}

impl<C> GetError<C> {
    /// Returns whether the queue was closed.
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

impl<C: fmt::Display> fmt::Display for GetError<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str(GET_CLOSED),
            Self::Cancelled(cancelled) => write!(f, "no item was got: {cancelled}"),
        }
    }
}

impl<C: Error + 'static> Error for GetError<C> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Closed => None,
            Self::Cancelled(cancelled) => Some(cancelled),
        }
    }
}

/// A cancelled wait becomes its reason, a closed queue an unexpected end.
impl<C: Error + Send + Sync + 'static> From<GetError<C>> for io::Error {
    fn from(error: GetError<C>) -> Self {
        match error {
            GetError::Closed => Self::new(io::ErrorKind::UnexpectedEof, GET_CLOSED),
            GetError::Cancelled(cancelled) => Self::other(cancelled),
        }
    }
}

/// Why no item was [got](crate::hosted::Queue::try_get) at once.
#[doc(alias = "QueueEmpty")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryGetError {
    /// There is no item, or none that is not on its way to somebody.
    Empty,
    /// The queue is closed, and no item is left.
    Closed,
}

impl fmt::Display for TryGetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the queue is empty; `get` waits for an item",
            Self::Closed => GET_CLOSED,
        })
    }
}

impl Error for TryGetError {}

/// An empty queue would block, a closed one is an unexpected end.
impl From<TryGetError> for io::Error {
    fn from(error: TryGetError) -> Self {
        let kind = match error {
            TryGetError::Empty => io::ErrorKind::WouldBlock,
            TryGetError::Closed => io::ErrorKind::UnexpectedEof,
        };
        Self::new(kind, error)
    }
}

const PUT_CLOSED: &str = "the queue is closed; `into_item` gives the item back";
const GET_CLOSED: &str = "the queue is closed and nothing is left in it";

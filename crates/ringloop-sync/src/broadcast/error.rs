//! What can go wrong with a broadcast.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io;

/// An item was not sent, because there is no receiver or the broadcast was closed. It is given
/// back.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = ringloop_sync::broadcast::channel(4);
/// drop(receiver);
/// assert_eq!(sender.send("hello").unwrap_err().into_inner(), "hello");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(T);

impl<T> SendError<T> {
    pub(super) fn new(item: T) -> Self {
        Self(item)
    }

    /// Returns the item.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the broadcast is closed or has no receiver: `subscribe` before sending")
    }
}

impl<T> Error for SendError<T> {}

impl<T> From<SendError<T>> for io::Error {
    fn from(error: SendError<T>) -> Self {
        Self::new(io::ErrorKind::BrokenPipe, error.to_string())
    }
}

/// There is no next item for this receiver.
///
/// `C` is why waits are cancelled on the [host](crate::Host): nothing, under
/// [`AnyExecutor`](crate::AnyExecutor).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError<C = Infallible> {
    /// The broadcast is closed or all senders are gone, and everything was received.
    Closed,
    /// The receiver was too slow: so many items are lost to it. It goes on with the oldest one that
    /// is left.
    Lagged(u64),
    /// The wait was cancelled. Nothing is lost.
    Cancelled(C),
}

/// There is no item for this receiver now.
///
/// # Examples
///
/// ```
/// use ringloop_sync::broadcast::{self, TryRecvError};
///
/// let (sender, mut receiver) = broadcast::channel(2);
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
/// for item in 1..=5 {
///     sender.send(item)?;
/// }
/// assert_eq!(receiver.try_recv(), Err(TryRecvError::Lagged(3)));
/// assert_eq!(receiver.try_recv(), Ok(4));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryRecvError {
    /// Everything was received, and more may come.
    Empty,
    /// The broadcast is closed or all senders are gone, and everything was received.
    Closed,
    /// The receiver was too slow: so many items are lost to it. It goes on with the oldest one that
    /// is left.
    Lagged(u64),
}

fn write_lagged(f: &mut fmt::Formatter<'_>, lost: u64) -> fmt::Result {
    let items = if lost == 1 { "item was" } else { "items were" };
    write!(
        f,
        "{lost} {items} lost to this receiver, which was too slow: go on with `recv`, \
         or give the broadcast more capacity"
    )
}

const CLOSED: &str = "the broadcast is closed, and everything was received";

impl<C: fmt::Display> fmt::Display for RecvError<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str(CLOSED),
            Self::Lagged(lost) => write_lagged(f, *lost),
            Self::Cancelled(cancelled) => cancelled.fmt(f),
        }
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("everything was received so far: `recv` waits for more"),
            Self::Closed => f.write_str(CLOSED),
            Self::Lagged(lost) => write_lagged(f, *lost),
        }
    }
}

impl<C: Error + 'static> Error for RecvError<C> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Closed | Self::Lagged(_) => None,
            Self::Cancelled(cancelled) => Some(cancelled),
        }
    }
}

impl Error for TryRecvError {}

/// A cancelled wait becomes its reason, to be found by [`get_ref`](io::Error::get_ref), an ended
/// broadcast a broken pipe.
impl<C: Error + Send + Sync + 'static> From<RecvError<C>> for io::Error {
    fn from(error: RecvError<C>) -> Self {
        let kind = match error {
            RecvError::Closed => io::ErrorKind::UnexpectedEof,
            RecvError::Lagged(_) => io::ErrorKind::Other,
            RecvError::Cancelled(cancelled) => return Self::other(cancelled),
        };
        Self::new(kind, error.to_string())
    }
}

impl From<TryRecvError> for io::Error {
    fn from(error: TryRecvError) -> Self {
        let kind = match error {
            TryRecvError::Empty => io::ErrorKind::WouldBlock,
            TryRecvError::Closed => io::ErrorKind::UnexpectedEof,
            TryRecvError::Lagged(_) => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

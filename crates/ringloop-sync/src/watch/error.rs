//! What can go wrong with a watch.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io;

/// A value was not sent, because there is no receiver. It is given back.
///
/// # Examples
///
/// ```
/// let (sender, receiver) = ringloop_sync::watch::channel(1);
/// drop(receiver);
/// assert_eq!(sender.send(2).unwrap_err().into_inner(), 2);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(T);

impl<T> SendError<T> {
    pub(super) fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the value.
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
        f.write_str("the watch has no receiver: keep one, or use `send_replace`, which needs none")
    }
}

impl<T> Error for SendError<T> {}

impl<T> From<SendError<T>> for io::Error {
    fn from(error: SendError<T>) -> Self {
        Self::new(io::ErrorKind::BrokenPipe, error.to_string())
    }
}

/// There will be no other value, or the wait for it was cancelled.
///
/// `C` is why waits are cancelled on the [host](crate::Host): nothing, under
/// [`AnyExecutor`](crate::AnyExecutor).
///
/// # Examples
///
/// ```
/// use ringloop_sync::watch::{self, RecvError};
///
/// let (sender, receiver) = watch::channel(1);
/// drop(sender);
/// assert_eq!(receiver.has_changed(), Err(RecvError::Closed));
/// assert_eq!(*receiver.borrow(), 1); // The last value stays.
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecvError<C = Infallible> {
    /// All senders are gone, and the last value was seen.
    Closed,
    /// The wait was cancelled.
    Cancelled(C),
}

impl<C> fmt::Display for RecvError<C>
where
    C: fmt::Display,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => {
                f.write_str("all senders of the watch are gone: `borrow` still has the last value")
            }
            Self::Cancelled(cancelled) => cancelled.fmt(f),
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

/// A cancelled wait becomes its reason, to be found by [`get_ref`](io::Error::get_ref), an ended
/// watch a broken pipe.
impl<C: Error + Send + Sync + 'static> From<RecvError<C>> for io::Error {
    fn from(error: RecvError<C>) -> Self {
        match error {
            RecvError::Closed => Self::new(
                io::ErrorKind::UnexpectedEof,
                RecvError::<Infallible>::Closed.to_string(),
            ),
            RecvError::Cancelled(cancelled) => Self::other(cancelled),
        }
    }
}

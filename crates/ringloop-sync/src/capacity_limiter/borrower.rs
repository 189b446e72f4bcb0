//! Who borrows, and the errors of those who do it twice.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io;

/// Somebody for whom a token is borrowed: a number that the caller chooses.
///
/// The number of a task, a connection or a client, say. Two of the same number are the same.
/// Counterpart: the object that `trio.CapacityLimiter` is given.
///
/// # Examples
///
/// ```
/// use ringloop_sync::Borrower;
///
/// assert_eq!(Borrower::from(3), Borrower::new(3));
/// assert_eq!(Borrower::new(3).to_string(), "3");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Borrower(u64);

impl Borrower {
    /// Names somebody by a number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for Borrower {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for Borrower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why no token was borrowed for somebody; see
/// [`CapacityLimiter::acquire_on_behalf_of`](crate::hosted::CapacityLimiter::acquire_on_behalf_of).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AcquireTokenError<C = Infallible> {
    /// The borrower has a token, or waits for one.
    AlreadyBorrowed(Borrower),
    /// The wait was cancelled.
    Cancelled(C),
}

/// Why no token was borrowed for somebody at once; see
/// [`CapacityLimiter::try_acquire_on_behalf_of`](crate::hosted::CapacityLimiter::try_acquire_on_behalf_of).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryAcquireTokenError {
    /// The borrower has a token, or waits for one.
    AlreadyBorrowed(Borrower),
    /// All tokens are borrowed, or on their way to those who wait.
    NoTokens,
}

impl<C: fmt::Display> fmt::Display for AcquireTokenError<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyBorrowed(borrower) => write_twice(f, *borrower),
            Self::Cancelled(cancelled) => cancelled.fmt(f),
        }
    }
}

impl fmt::Display for TryAcquireTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyBorrowed(borrower) => write_twice(f, *borrower),
            Self::NoTokens => f.write_str("all tokens are borrowed: wait for one with acquire"),
        }
    }
}

fn write_twice(f: &mut fmt::Formatter<'_>, borrower: Borrower) -> fmt::Result {
    write!(
        f,
        "borrower {borrower} has a token or waits for one: drop that first"
    )
}

impl<C: Error + 'static> Error for AcquireTokenError<C> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::AlreadyBorrowed(_) => None,
            Self::Cancelled(cancelled) => Some(cancelled),
        }
    }
}

impl Error for TryAcquireTokenError {}

impl<C> From<C> for AcquireTokenError<C> {
    fn from(cancelled: C) -> Self {
        Self::Cancelled(cancelled)
    }
}

/// A cancelled wait becomes its reason, to be found by [`get_ref`](io::Error::get_ref).
impl<C: Error + Send + Sync + 'static> From<AcquireTokenError<C>> for io::Error {
    fn from(error: AcquireTokenError<C>) -> Self {
        match error {
            AcquireTokenError::AlreadyBorrowed(borrower) => {
                Self::other(TryAcquireTokenError::AlreadyBorrowed(borrower))
            }
            AcquireTokenError::Cancelled(cancelled) => Self::other(cancelled),
        }
    }
}

impl From<TryAcquireTokenError> for io::Error {
    fn from(error: TryAcquireTokenError) -> Self {
        let kind = match error {
            TryAcquireTokenError::AlreadyBorrowed(_) => io::ErrorKind::Other,
            TryAcquireTokenError::NoTokens => io::ErrorKind::WouldBlock,
        };
        Self::new(kind, error)
    }
}

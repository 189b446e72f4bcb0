//! What each party of a barrier gets, and why it may not.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::io;

/// The turn of one party at a [`Barrier`](crate::Barrier).
///
/// Counterpart: [`std::sync::BarrierWaitResult`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BarrierTurn {
    index: usize,
}

impl BarrierTurn {
    #[inline]
    pub(super) fn new(index: usize) -> Self {
        Self { index }
    }

    /// Returns the place of this party in its round: from 0, in the order in which they came.
    #[must_use]
    pub fn index(self) -> usize {
        self.index
    }

    /// Returns whether this is the one party of its round that does what is to be done once. It is
    /// the first that came.
    #[must_use]
    pub fn is_leader(self) -> bool {
        self.index == 0
    }
}

/// Why a party got no turn; see [`Barrier::wait`](crate::hosted::Barrier::wait).
#[doc(alias = "BrokenBarrierError")]
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BarrierError<C = Infallible> {
    /// The barrier was aborted, or it was reset during the wait.
    Broken,
    /// The wait was cancelled.
    Cancelled(C),
}

impl<C: fmt::Display> fmt::Display for BarrierError<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken => f.write_str("the barrier was broken: reset it, and come again"),
            Self::Cancelled(cancelled) => cancelled.fmt(f),
        }
    }
}

impl<C: Error + 'static> Error for BarrierError<C> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Broken => None,
            Self::Cancelled(cancelled) => Some(cancelled),
        }
    }
}

impl<C> From<C> for BarrierError<C> {
    fn from(cancelled: C) -> Self {
        Self::Cancelled(cancelled)
    }
}

/// A cancelled wait becomes its reason, to be found by [`get_ref`](io::Error::get_ref).
impl<C: Error + Send + Sync + 'static> From<BarrierError<C>> for io::Error {
    fn from(error: BarrierError<C>) -> Self {
        match error {
            BarrierError::Broken => Self::other(BarrierError::<Infallible>::Broken),
            BarrierError::Cancelled(cancelled) => Self::other(cancelled),
        }
    }
}

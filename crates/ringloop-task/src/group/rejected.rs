//! A future that was not spawned.

use std::error::Error;
use std::fmt;

/// The future could not be spawned: the group is over, or the pool is full. It is inside.
#[must_use = "the future was not spawned"]
pub struct Rejected<F> {
    future: F,
    is_full: bool,
}

impl<F> Rejected<F> {
    pub(super) fn over(future: F) -> Self {
        Self {
            future,
            is_full: false,
        }
    }

    pub(super) fn full(future: F) -> Self {
        Self {
            future,
            is_full: true,
        }
    }

    /// Returns the future.
    #[must_use]
    pub fn into_inner(self) -> F {
        self.future
    }

    /// Returns whether the pool is full, and there may be room later.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.is_full
    }
}

impl<F> fmt::Debug for Rejected<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected")
            .field("is_full", &self.is_full)
            .finish_non_exhaustive()
    }
}

impl<F> fmt::Display for Rejected<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_full {
            "the pool is full"
        } else {
            "the group is over"
        })
    }
}

impl<F> Error for Rejected<F> {}

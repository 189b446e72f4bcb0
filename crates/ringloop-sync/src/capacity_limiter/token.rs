//! A token that is borrowed.

use std::fmt;

use super::Borrower;
use super::raw::RawLimiter;

/// A token of a [`CapacityLimiter`](crate::CapacityLimiter); dropped, it is given back.
///
/// It belongs to the thread of its limiter:
///
/// ```compile_fail,E0277
/// let limiter = ringloop_sync::CapacityLimiter::new(1);
/// let token = limiter.try_acquire().unwrap();
/// std::thread::scope(|scope| {
///     scope.spawn(move || drop(token));
/// });
/// ```
#[must_use = "a token that is dropped is given back at once"]
pub struct CapacityToken<'a> {
    raw: &'a RawLimiter,
    borrower: Option<Borrower>,
}

impl<'a> CapacityToken<'a> {
    #[inline]
    pub(super) fn new(raw: &'a RawLimiter, borrower: Option<Borrower>) -> Self {
        Self { raw, borrower }
    }

    /// Returns for whom it is borrowed; `None` if for nobody in particular.
    #[must_use]
    pub fn borrower(&self) -> Option<Borrower> {
        self.borrower
    }
}

impl Drop for CapacityToken<'_> {
    #[inline]
    fn drop(&mut self) {
        self.raw.give_back(self.borrower);
    }
}

impl fmt::Debug for CapacityToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapacityToken")
            .field("borrower", &self.borrower)
            .finish_non_exhaustive()
    }
}

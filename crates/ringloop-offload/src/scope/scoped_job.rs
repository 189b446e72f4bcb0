//! The wish to have the result of one closure of a scope.

use std::fmt;
use std::sync::Arc;

use crate::contain::catch;
use crate::error::OffloadError;

use super::errand::Yields;
use super::team::{Number, Team};

/// A closure that was [spawned](crate::Scope::spawn) in a [`scope`](crate::scope()).
///
/// Dropping or forgetting it changes nothing: the closure is run before the scope ends.
///
/// Counterpart: `std::thread::ScopedJoinHandle`.
pub struct ScopedJob<'scope, T> {
    number: Number,
    /// There until the drop.
    errand: Option<Arc<dyn Yields<T> + 'scope>>,
    team: &'scope Team,
}

impl<'scope, T> ScopedJob<'scope, T> {
    pub(super) fn new(
        number: Number,
        errand: Arc<dyn Yields<T> + 'scope>,
        team: &'scope Team,
    ) -> Self {
        Self {
            number,
            errand: Some(errand),
            team,
        }
    }

    /// Returns what the closure returns.
    ///
    /// If no thread has begun with it, it is run here and now; otherwise this thread sleeps until
    /// it has ended. No other closure is run here meanwhile.
    ///
    /// # Errors
    ///
    /// An [`OffloadError`] that [is a panic](OffloadError::is_panic), if the closure panicked; the
    /// scope then does not panic for it.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_offload::{CpuPool, scope};
    ///
    /// let pool = CpuPool::new();
    /// let numbers = [3, 1, 2];
    /// scope(&pool, |s| {
    ///     let sum = s.spawn(|| numbers.iter().sum::<i32>());
    ///     let missing = s.spawn(|| numbers[numbers.len()]);
    ///     assert_eq!(sum.join().unwrap(), 6);
    ///     assert!(missing.join().unwrap_err().is_panic());
    /// });
    /// ```
    pub fn join(self) -> Result<T, OffloadError> {
        let result = self.team.join(self.number, self.errand());
        result.map_err(OffloadError::panicked)
    }

    /// Returns whether the closure has returned or panicked.
    pub fn is_finished(&self) -> bool {
        self.errand().has_ended()
    }

    fn errand(&self) -> &(dyn Yields<T> + 'scope) {
        self.errand.as_deref().expect("it is there until the drop")
    }
}

impl<T> Drop for ScopedJob<'_, T> {
    /// Drops the result, if it is here. Whichever thread does that, its panic is the scope's.
    fn drop(&mut self) {
        let errand = self.errand.take();
        if let Err(payload) = catch(move || drop(errand)) {
            self.team.note_panic(self.number, payload);
        }
    }
}

impl<T> fmt::Debug for ScopedJob<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJob")
            .field("number", &self.number)
            .field("is_finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}

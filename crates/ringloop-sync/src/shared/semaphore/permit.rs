//! Permits that are held.

use std::fmt;
use std::mem;
use std::ptr;
use std::sync::Arc;

use super::Semaphore;
use super::raw::RawSemaphore;
use crate::host::Host;

/// Permits of a [`Semaphore`](crate::shared::Semaphore); dropped, it gives them back.
///
/// It may be sent to another thread.
#[must_use = "permits that are dropped are given back at once"]
pub struct Permit<'a> {
    semaphore: &'a RawSemaphore,
    permits: usize,
}

impl<'a> Permit<'a> {
    #[inline]
    pub(super) fn new(semaphore: &'a RawSemaphore, permits: usize) -> Self {
        Self { semaphore, permits }
    }

    /// Gives the permits to nobody: the semaphore has that many fewer.
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// Takes so many permits out, or `None` if it has fewer.
    pub fn split(&mut self, permits: usize) -> Option<Self> {
        self.permits = self.permits.checked_sub(permits)?;
        Some(Self::new(self.semaphore, permits))
    }

    /// Adds the permits of another one.
    ///
    /// # Panics
    ///
    /// If they are of another semaphore.
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        assert!(
            ptr::eq(self.semaphore, other.semaphore),
            "permits of one semaphore are merged"
        );
        self.permits += mem::take(&mut other.permits);
    }

    /// Returns how many permits it has.
    #[must_use]
    pub fn num_permits(&self) -> usize {
        self.permits
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.permits > 0 {
            self.semaphore.release(self.permits);
        }
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("permits", &self.permits)
            .finish_non_exhaustive()
    }
}

/// Permits that keep their [`Semaphore`] alive; dropped, it gives them back.
///
/// It may be sent to another thread, and kept in whatever the permits are for.
#[must_use = "permits that are dropped are given back at once"]
pub struct OwnedPermit<H: Host> {
    semaphore: Arc<Semaphore<H>>,
    permits: usize,
}

impl<H: Host> OwnedPermit<H> {
    #[inline]
    pub(super) fn new(semaphore: Arc<Semaphore<H>>, permits: usize) -> Self {
        Self { semaphore, permits }
    }

    /// Gives the permits to nobody: the semaphore has that many fewer.
    pub fn forget(mut self) {
        self.permits = 0;
    }

    /// Takes so many permits out, or `None` if it has fewer.
    pub fn split(&mut self, permits: usize) -> Option<Self> {
        self.permits = self.permits.checked_sub(permits)?;
        Some(Self::new(Arc::clone(&self.semaphore), permits))
    }

    /// Adds the permits of another one.
    ///
    /// # Panics
    ///
    /// If they are of another semaphore.
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        assert!(
            Arc::ptr_eq(&self.semaphore, &other.semaphore),
            "permits of one semaphore are merged"
        );
        self.permits += mem::take(&mut other.permits);
    }

    /// Returns how many permits it has.
    #[must_use]
    pub fn num_permits(&self) -> usize {
        self.permits
    }

    /// Returns the semaphore.
    #[must_use]
    pub fn semaphore(&self) -> &Arc<Semaphore<H>> {
        &self.semaphore
    }
}

impl<H: Host> Drop for OwnedPermit<H> {
    #[inline]
    fn drop(&mut self) {
        if self.permits > 0 {
            self.semaphore.raw.release(self.permits);
        }
    }
}

impl<H: Host> fmt::Debug for OwnedPermit<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit")
            .field("permits", &self.permits)
            .finish_non_exhaustive()
    }
}

//! Permits that are held.

use std::fmt;
use std::mem;
use std::ptr;
use std::rc::Rc;

use super::Semaphore;
use super::raw::RawSemaphore;

/// Permits of a [`Semaphore`](crate::Semaphore); dropped, it gives them back.
///
/// It belongs to the thread of its semaphore:
///
/// ```compile_fail,E0277
/// let semaphore = ringloop_sync::Semaphore::new(1);
/// let permit = semaphore.try_acquire().unwrap();
/// std::thread::scope(|scope| {
///     scope.spawn(move || drop(permit));
/// });
/// ```
///
/// # Examples
///
/// ```
/// let semaphore = ringloop_sync::Semaphore::new(5);
/// let mut some = semaphore.try_acquire_many(4).unwrap();
/// let one = some.split(1).unwrap();
/// drop(one);
/// assert_eq!((some.num_permits(), semaphore.available()), (3, 2));
/// some.merge(semaphore.try_acquire().unwrap());
/// some.forget();
/// assert_eq!(semaphore.statistics().total, 1);
/// ```
#[must_use = "a permit that is dropped is given back at once"]
pub struct Permit<'a> {
    raw: &'a RawSemaphore,
    permits: usize,
}

/// Permits of a [`Semaphore`] that keep it alive; dropped, it gives them back.
#[must_use = "a permit that is dropped is given back at once"]
pub struct OwnedPermit<H> {
    semaphore: Rc<Semaphore<H>>,
    permits: usize,
}

impl<'a> Permit<'a> {
    #[inline]
    pub(super) fn new(raw: &'a RawSemaphore, permits: usize) -> Self {
        Self { raw, permits }
    }

    /// Drops the guard and keeps its permits from coming back, until they are
    /// [released](crate::hosted::Semaphore::release).
    #[inline]
    pub fn forget(mut self) {
        self.raw.forget(mem::take(&mut self.permits));
    }

    /// Takes so many permits out into a guard of their own; `None` if there are fewer.
    pub fn split(&mut self, permits: usize) -> Option<Self> {
        self.permits = self.permits.checked_sub(permits)?;
        Some(Self::new(self.raw, permits))
    }

    /// Adds the permits of another guard of the same semaphore.
    ///
    /// # Panics
    ///
    /// If it is of another semaphore.
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        assert!(ptr::eq(self.raw, other.raw), "{TWO_SEMAPHORES}");
        self.permits += mem::take(&mut other.permits);
    }

    /// Returns how many permits it holds.
    #[must_use]
    pub fn num_permits(&self) -> usize {
        self.permits
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        self.raw.give_back(self.permits);
    }
}

impl<H> OwnedPermit<H> {
    #[inline]
    pub(super) fn new(semaphore: Rc<Semaphore<H>>, permits: usize) -> Self {
        Self { semaphore, permits }
    }

    /// Drops the guard and keeps its permits from coming back, until they are
    /// [released](Semaphore::release).
    #[inline]
    pub fn forget(mut self) {
        self.semaphore.raw.forget(mem::take(&mut self.permits));
    }

    /// Takes so many permits out into a guard of their own; `None` if there are fewer.
    pub fn split(&mut self, permits: usize) -> Option<Self> {
        self.permits = self.permits.checked_sub(permits)?;
        Some(Self::new(Rc::clone(&self.semaphore), permits))
    }

    /// Adds the permits of another guard of the same semaphore.
    ///
    /// # Panics
    ///
    /// If it is of another semaphore.
    #[track_caller]
    pub fn merge(&mut self, mut other: Self) {
        let is_same = Rc::ptr_eq(&self.semaphore, &other.semaphore);
        assert!(is_same, "{TWO_SEMAPHORES}");
        self.permits += mem::take(&mut other.permits);
    }

    /// Returns how many permits it holds.
    #[must_use]
    pub fn num_permits(&self) -> usize {
        self.permits
    }

    /// Returns the semaphore.
    #[must_use]
    pub fn semaphore(&self) -> &Rc<Semaphore<H>> {
        &self.semaphore
    }
}

impl<H> Drop for OwnedPermit<H> {
    #[inline]
    fn drop(&mut self) {
        self.semaphore.raw.give_back(self.permits);
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("permits", &self.permits)
            .finish_non_exhaustive()
    }
}

impl<H> fmt::Debug for OwnedPermit<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit")
            .field("permits", &self.permits)
            .field("semaphore", &self.semaphore)
            .finish()
    }
}

const TWO_SEMAPHORES: &str = "permits of two semaphores do not merge";

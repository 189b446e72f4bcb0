//! A limit on how many do something at once, which knows who does.
//!
//! | file | what it has |
//! |---|---|
//! | `raw` | the tokens: how many are borrowed, by whom, who waits |
//! | `borrower` | who borrows, and the errors of those who do it twice |
//! | `acquire` | the futures of tokens |
//! | `token` | a token that is borrowed |

mod acquire;
mod borrower;
mod raw;
mod token;

pub use acquire::{AcquireToken, AcquireTokenFor};
pub use borrower::{AcquireTokenError, Borrower, TryAcquireTokenError};
pub use raw::CapacityLimiterStatistics;
pub use token::CapacityToken;

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;

use crate::host::Host;
use raw::RawLimiter;

/// A limit on how many tasks of one thread do something at once, which can be moved while they do.
///
/// Like a [`Semaphore`](crate::Semaphore), but its tokens are lent one to a borrower, it can tell who
/// has one, and its total is set rather than counted up and down. Strictly first come, first
/// served: a token that is given back belongs to the first who waits before any task runs, and a
/// waiter that is cancelled or dropped after a token was given to it passes it on.
///
/// Each [`acquire`](Self::acquire) is a borrower of its own. Where the work belongs to somebody who
/// must not have two tokens (a client, or a task that would wait for itself),
/// [`acquire_on_behalf_of`](Self::acquire_on_behalf_of) says to whom.
///
/// To share it, put it into an [`Rc`](std::rc::Rc). Counterpart: `trio.CapacityLimiter`.
///
/// # Examples
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// use ringloop_sync::CapacityLimiter;
///
/// let downloads = CapacityLimiter::new(2);
/// # let mut cx = Context::from_waker(Waker::noop());
/// # let mut task = pin!(async {
/// let first = downloads.acquire().await;
/// let second = downloads.acquire().await;
/// assert!(downloads.try_acquire().is_none());
///
/// downloads.set_total(1); // From here on; nobody loses what they have.
/// drop(first);
/// assert!(downloads.try_acquire().is_none());
/// drop(second);
/// assert!(downloads.try_acquire().is_some());
/// # });
/// # assert!(task.as_mut().poll(&mut cx).is_ready());
/// ```
#[doc(alias = "trio.CapacityLimiter")]
pub struct CapacityLimiter<H> {
    raw: RawLimiter,
    host: PhantomData<fn() -> H>,
}

impl<H: Host> CapacityLimiter<H> {
    /// Makes a limiter of so many tokens: none is fine, and `usize::MAX` is no limit at all.
    #[must_use]
    pub const fn new(total: usize) -> Self {
        Self {
            raw: RawLimiter::new(total),
            host: PhantomData,
        }
    }

    /// Borrows a token, waiting until those who came before have theirs.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait was cancelled: no token is borrowed by it.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled, it leaves its place in the line, or passes the token on
    /// that it was given.
    #[track_caller]
    #[inline]
    pub fn acquire(&self) -> AcquireToken<'_, H> {
        AcquireToken::new(&self.raw, Location::caller())
    }

    /// Borrows a token for somebody who may have one only, waiting until those who came before have
    /// theirs.
    ///
    /// # Errors
    ///
    /// [`AcquireTokenError::AlreadyBorrowed`] if the borrower has a token, or waits for one;
    /// [`AcquireTokenError::Cancelled`] on a [host](Host) with cancellation. No token is borrowed by
    /// it then.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled, it leaves its place in the line, or passes the token on
    /// that it was given.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use std::task::{Context, Poll, Waker};
    /// use ringloop_sync::{Borrower, CapacityLimiter};
    ///
    /// let limiter = CapacityLimiter::new(10);
    /// let client = Borrower::new(7);
    /// # let mut cx = Context::from_waker(Waker::noop());
    /// # let mut task = pin!(async {
    /// let token = limiter.acquire_on_behalf_of(client).await?;
    /// assert!(limiter.acquire_on_behalf_of(client).await.is_err(), "one each");
    /// drop(token);
    /// assert!(limiter.acquire_on_behalf_of(client).await.is_ok());
    /// # Ok::<(), ringloop_sync::AcquireTokenError>(())
    /// # });
    /// # assert!(matches!(task.as_mut().poll(&mut cx), Poll::Ready(Ok(()))));
    /// ```
    #[track_caller]
    #[inline]
    pub fn acquire_on_behalf_of(&self, borrower: impl Into<Borrower>) -> AcquireTokenFor<'_, H> {
        AcquireTokenFor::new(&self.raw, borrower.into(), Location::caller())
    }

    /// Borrows a token if one is there and nobody waits. Counterpart:
    /// `trio.CapacityLimiter.acquire_nowait`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "acquire_nowait")]
    #[inline]
    pub fn try_acquire(&self) -> Option<CapacityToken<'_>> {
        (self.raw.try_acquire()).then(|| CapacityToken::new(&self.raw, None))
    }

    /// Borrows a token for somebody who may have one only, if one is there and nobody waits.
    ///
    /// # Errors
    ///
    /// [`TryAcquireTokenError::AlreadyBorrowed`] if the borrower has a token, or waits for one;
    /// [`TryAcquireTokenError::NoTokens`] if there is none.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[doc(alias = "acquire_on_behalf_of_nowait")]
    pub fn try_acquire_on_behalf_of(
        &self,
        borrower: impl Into<Borrower>,
    ) -> Result<CapacityToken<'_>, TryAcquireTokenError> {
        let borrower = borrower.into();
        self.raw.try_acquire_for(borrower)?;
        Ok(CapacityToken::new(&self.raw, Some(borrower)))
    }

    /// Sets how many tokens there are.
    ///
    /// With more of them, those who wait get theirs at once, in order. With fewer, nobody loses a
    /// token; those that are given back are lent again when fewer than the total are borrowed.
    #[doc(alias = "total_tokens")]
    pub fn set_total(&self, total: usize) {
        self.raw.set_total(total);
    }

    /// Returns how many tokens there are, borrowed or not.
    #[doc(alias = "total_tokens")]
    #[must_use]
    pub fn total(&self) -> usize {
        self.raw.total()
    }

    /// Returns how many tokens are borrowed. They may be more than the total, after it was lowered.
    #[doc(alias = "borrowed_tokens")]
    #[must_use]
    pub fn borrowed(&self) -> usize {
        self.raw.borrowed()
    }

    /// Returns how many tokens may still be borrowed; `usize::MAX` if there is no limit.
    #[doc(alias = "available_tokens")]
    #[must_use]
    pub fn available(&self) -> usize {
        self.raw.available()
    }

    /// Returns for whom tokens are borrowed, in ascending order. Those who borrow for nobody in
    /// particular have no name here.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_sync::{Borrower, CapacityLimiter};
    ///
    /// let limiter = CapacityLimiter::new(3);
    /// let _tokens = (limiter.try_acquire_on_behalf_of(8)?, limiter.try_acquire());
    /// assert_eq!(limiter.borrowers(), [Borrower::new(8)]);
    /// # Ok::<(), ringloop_sync::TryAcquireTokenError>(())
    /// ```
    #[must_use]
    pub fn borrowers(&self) -> Vec<Borrower> {
        self.raw.borrowers()
    }

    /// Returns how things stand. Counterpart: `trio.CapacityLimiter.statistics`.
    #[must_use]
    pub fn statistics(&self) -> CapacityLimiterStatistics {
        self.raw.statistics()
    }
}

impl<H> fmt::Debug for CapacityLimiter<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.raw.describe(f.debug_struct("CapacityLimiter"))
    }
}

//! A word to one task or to all, without a value.

mod notified;

pub use notified::Notified;

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{Location, RefUnwindSafe};

use ringloop_core::WaitList;

use crate::host::Host;

/// A word to one task of this thread or to all.
///
/// [`notify_one`](Self::notify_one) lets the first go on that waits. If nobody does, the word is
/// kept, once, for the next who comes; so it is not lost between a look at one's own state and the
/// wait. [`notify_waiters`](Self::notify_waiters) lets all go on that wait, and keeps nothing.
///
/// A waiter that is cancelled or dropped after it was given the word passes it on.
/// To share it, put it into an [`Rc`](std::rc::Rc). Counterpart: `tokio::sync::Notify`, and
/// [`Event`](crate::Event) where the word is to stay until it is taken back.
///
/// # Examples
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// use ringloop_sync::Notify;
/// use std::cell::RefCell;
///
/// let (items, changed) = (RefCell::new(Vec::new()), Notify::new());
/// let mut takes = pin!(async {
///     loop {
///         if let Some(item) = items.borrow_mut().pop() {
///             break item;
///         }
///         changed.notified().await;
///     }
/// });
/// # let mut cx = Context::from_waker(Waker::noop());
/// assert!(takes.as_mut().poll(&mut cx).is_pending());
/// items.borrow_mut().push("item");
/// changed.notify_one();
/// assert_eq!(takes.as_mut().poll(&mut cx), Poll::Ready("item"));
/// ```
#[doc(alias("AutoResetEvent", "ParkingLot"))]
pub struct Notify<H> {
    /// Whether a word is kept; then nobody waits.
    has_permit: Cell<bool>,
    /// How many times all were notified: who was made before one of them goes on.
    rounds: Cell<u64>,
    /// Who is woken is left whom the word was for.
    waiters: WaitList<Word>,
    host: PhantomData<fn() -> H>,
}

/// Whom a word is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    /// Whoever gets it; if he does not come for it, the next.
    One,
    /// All who wait. They bring it, and are left it.
    All,
}

impl<H: Host> Notify<H> {
    /// Makes one that keeps no word.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            has_permit: Cell::new(false),
            rounds: Cell::new(0),
            waiters: WaitList::new(),
            host: PhantomData,
        }
    }

    /// Lets the first go on that waits; if nobody does, the next who comes.
    ///
    /// Several words to nobody are one.
    #[doc(alias = "unpark")]
    #[inline]
    pub fn notify_one(&self) {
        if self.waiters.is_empty() {
            self.has_permit.set(true);
        } else {
            self.hand_over();
        }
    }

    #[cold]
    fn hand_over(&self) {
        match self.waiters.grant_one(Word::One) {
            Ok((_all, waker)) => waker.wake(),
            Err(_) => self.has_permit.set(true),
        }
    }

    /// Lets all go on that wait, in the order in which they came; and nobody who comes later.
    ///
    /// Whoever has called [`notified`](Self::notified) waits, even if the future was not polled.
    #[doc(alias = "unpark_all")]
    #[inline]
    pub fn notify_waiters(&self) {
        self.rounds.set(self.rounds.get().wrapping_add(1));
        if !self.waiters.is_empty() {
            self.waiters.wake_all();
        }
    }

    /// Waits for a word; not at all if one is kept.
    ///
    /// A place in the line, for [`notify_one`](Self::notify_one), is taken at the first poll.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait was cancelled.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled, it leaves its place in the line, or passes the word on
    /// that was for one.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use std::task::{Context, Poll, Waker};
    /// let notify = ringloop_sync::Notify::new();
    /// let notified = notify.notified();
    /// notify.notify_waiters(); // The future was there already.
    /// # let mut cx = Context::from_waker(Waker::noop());
    /// # let mut task = pin!(async {
    /// notified.await;
    /// # });
    /// # assert!(task.as_mut().poll(&mut cx).is_ready());
    /// ```
    #[doc(alias = "park")]
    #[track_caller]
    #[inline]
    pub fn notified(&self) -> Notified<'_, H> {
        Notified::new(self, Location::caller())
    }

    /// Returns how things stand.
    #[must_use]
    pub fn statistics(&self) -> NotifyStatistics {
        NotifyStatistics {
            has_permit: self.has_permit.get(),
            waiting: self.waiters.len(),
        }
    }
}

impl<H: Host> Default for Notify<H> {
    fn default() -> Self {
        Self::new()
    }
}

// Wakers run while nothing is half changed, so no panic of theirs is seen here.
impl<H> RefUnwindSafe for Notify<H> {}

impl<H> fmt::Debug for Notify<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notify")
            .field("has_permit", &self.has_permit.get())
            .field("waiting", &self.waiters.len())
            .finish()
    }
}

/// How things stand with a notify; see
/// [`Notify::statistics`](crate::hosted::Notify::statistics).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotifyStatistics {
    /// Whether a word is kept for the next who comes.
    pub has_permit: bool,
    /// How many wait.
    pub waiting: usize,
}

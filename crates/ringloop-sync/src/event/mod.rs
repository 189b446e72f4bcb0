//! A flag that tasks wait for.
//!
//! Those who wait are released by being woken, not by the flag: whoever was there when it was set
//! goes on, even if it is clear again by the time that they run.

mod wait;

pub use wait::EventWait;

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{Location, RefUnwindSafe};

use ringloop_core::WaitList;

use crate::host::Host;

/// A flag that tasks of one thread wait for.
///
/// [`set`](Self::set) lets all go on that wait, in the order in which they came, and everybody who
/// comes later, until [`clear`](Self::clear). A clear that follows at once takes nothing back: those
/// who waited go on.
///
/// To share it, put it into an [`Rc`](std::rc::Rc). Counterpart: `asyncio.Event`.
///
/// # Examples
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// use ringloop_sync::Event;
///
/// let ready = Event::new();
/// # let mut cx = Context::from_waker(Waker::noop());
/// let mut waits = pin!(async {
///     ready.wait().await;
///     "went on"
/// });
/// assert!(waits.as_mut().poll(&mut cx).is_pending());
/// ready.set();
/// ready.clear();
/// assert_eq!(waits.as_mut().poll(&mut cx), Poll::Ready("went on"));
/// assert!(!ready.is_set());
/// ```
#[doc(alias("asyncio.Event", "trio.Event"))]
pub struct Event<H> {
    is_set: Cell<bool>,
    /// Whoever is in here no more goes on.
    waiters: WaitList,
    host: PhantomData<fn() -> H>,
}

impl<H: Host> Event<H> {
    /// Makes an event that is not set.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            is_set: Cell::new(false),
            waiters: WaitList::new(),
            host: PhantomData,
        }
    }

    /// Sets the event, and wakes all who wait. Does nothing if it is set.
    #[inline]
    pub fn set(&self) {
        self.is_set.set(true);
        if !self.waiters.is_empty() {
            self.waiters.wake_all();
        }
    }

    /// Takes the flag back: whoever comes from here on waits for the next [`set`](Self::set).
    #[inline]
    pub fn clear(&self) {
        self.is_set.set(false);
    }

    /// Returns whether the event is set.
    #[must_use]
    #[inline]
    pub fn is_set(&self) -> bool {
        self.is_set.get()
    }

    /// Waits until the event is set; not at all if it is.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait was cancelled.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled, it leaves its place among those who wait.
    #[track_caller]
    #[inline]
    pub fn wait(&self) -> EventWait<'_, H> {
        EventWait::new(self, Location::caller())
    }

    /// Returns how things stand. Counterpart: `trio.Event.statistics`.
    #[must_use]
    pub fn statistics(&self) -> EventStatistics {
        EventStatistics {
            is_set: self.is_set(),
            waiting: self.waiters.len(),
        }
    }
}

impl<H: Host> Default for Event<H> {
    fn default() -> Self {
        Self::new()
    }
}

// Wakers run while nothing is half changed, so no panic of theirs is seen here.
impl<H> RefUnwindSafe for Event<H> {}

impl<H> fmt::Debug for Event<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("is_set", &self.is_set.get())
            .field("waiting", &self.waiters.len())
            .finish()
    }
}

/// How things stand with an event; see [`Event::statistics`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventStatistics {
    /// Whether it is set.
    pub is_set: bool,
    /// How many wait for it.
    pub waiting: usize,
}

//! A flag that tasks and threads wait for.
//!
//! | file | what it has |
//! |---|---|
//! | `state` | the word of the event, which is all that is touched while nobody waits |
//! | `wait` | the future of an event |

mod state;
mod wait;

pub use wait::EventWait;

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::task::Waker;
use std::time::Duration;

use ringloop_core::panics::drop_quietly;

use super::wait::Wait;
use super::wait_list::{WaitList, Wakers};
use crate::event::EventStatistics;
use crate::host::{AnyExecutor, Host};
use ringloop_core::block_on;
use state::State;

/// A flag that tasks of several loops and plain threads wait for.
///
/// [`set`](Self::set) lets all go on that wait, in the order in which they came, and everybody who
/// comes later, until [`clear`](Self::clear). A clear that follows at once takes nothing back: those
/// who waited go on. What was done before a set is seen by whoever goes on.
///
/// To share it, put it into an [`Arc`](std::sync::Arc) or a `static`. Within one thread, the
/// event at the root of the crate costs less. Counterpart: `threading.Event`, and
/// `loop.call_soon_threadsafe(event.set)` for an `asyncio.Event`.
///
/// # Examples
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// use ringloop_sync::shared::Event;
///
/// static READY: Event = Event::new();
///
/// let thread = std::thread::spawn(|| READY.set());
/// READY.blocking_wait();
/// # let mut cx = Context::from_waker(Waker::noop());
/// # let mut task = pin!(async {
/// READY.wait().await; // In a task.
/// # });
/// # assert!(task.as_mut().poll(&mut cx).is_ready());
/// assert!(READY.is_set());
/// thread.join().unwrap();
/// ```
#[doc(alias("threading.Event", "call_soon_threadsafe"))]
pub struct Event<H> {
    raw: RawEvent,
    host: PhantomData<fn() -> H>,
}

/// An event without a host. Whoever was woken from `waiters` goes on.
struct RawEvent {
    state: State,
    waiters: WaitList<()>,
}

impl<H: Host> Event<H> {
    /// Makes an event that is not set.
    #[cfg(not(loom))]
    #[must_use]
    pub const fn new() -> Self {
        Self {
            raw: RawEvent {
                state: State::new(),
                waiters: WaitList::new(),
            },
            host: PhantomData,
        }
    }

    /// Makes an event that is not set.
    #[cfg(loom)]
    #[must_use]
    pub fn new() -> Self {
        Self {
            raw: RawEvent {
                state: State::new(),
                waiters: WaitList::new(),
            },
            host: PhantomData,
        }
    }

    /// Sets the event: all who wait go on, and everybody who comes later.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline]
    pub fn set(&self) {
        if !self.raw.state.try_set() {
            self.raw.release();
        }
    }

    /// Makes those wait who come later.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline]
    pub fn clear(&self) {
        self.raw.state.clear();
    }

    /// Returns whether the event is set; it may be otherwise by then.
    #[must_use]
    #[inline]
    pub fn is_set(&self) -> bool {
        self.raw.is_set()
    }

    /// Waits until the event is set.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait was cancelled.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    #[inline]
    pub fn wait(&self) -> EventWait<'_, H> {
        EventWait::new(&self.raw, Location::caller())
    }

    /// Blocks this thread until the event is set.
    ///
    /// For plain threads. On the thread of an event loop it stops the loop, for ever if a task of
    /// that loop is to set the event: await [`wait`](Self::wait) there.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    #[track_caller]
    #[inline]
    pub fn blocking_wait(&self) {
        self.block(None, Location::caller());
    }

    /// Blocks this thread until the event is set, for at most `timeout`. Returns whether it was set.
    ///
    /// Counterpart: `threading.Event.wait(timeout)`.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function blocks; it is no future.
    #[track_caller]
    pub fn blocking_wait_timeout(&self, timeout: Duration) -> bool {
        self.block(Some(timeout), Location::caller())
    }

    #[inline]
    fn block(&self, timeout: Option<Duration>, at: &'static Location<'static>) -> bool {
        if self.is_set() {
            return true;
        }
        let mut wait = EventWait::<AnyExecutor>::new(&self.raw, at);
        match block_on(timeout, |cx| wait.poll_wait(cx)) {
            Some(Ok(())) => true,
            None => wait.give_up(),
        }
    }

    /// Returns how things stand; they may stand differently by then.
    #[must_use]
    pub fn statistics(&self) -> EventStatistics {
        self.raw.statistics()
    }
}

impl RawEvent {
    #[inline]
    fn is_set(&self) -> bool {
        self.state.is_set()
    }

    /// Goes to the back of the list, unless the event is set.
    #[cold]
    fn is_set_or_wait<H: Host>(&self, wait: &mut Wait<H>, waker: Waker) -> bool {
        let list = self.waiters.lock();
        if self.state.try_await() {
            wait.enlist(&list, (), waker);
            return false;
        }
        drop(list);
        drop_quietly(waker);
        true
    }

    /// Sets the event, and wakes all who wait.
    #[cold]
    fn release(&self) {
        let mut wakers = Wakers::default();
        let list = self.waiters.lock();
        self.state.set();
        while let Some(waker) = list.take_one() {
            wakers.push(waker);
        }
        drop(list);
        wakers.wake();
    }

    fn statistics(&self) -> EventStatistics {
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

impl<H> fmt::Debug for Event<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statistics = self.raw.statistics();
        f.debug_struct("Event")
            .field("is_set", &statistics.is_set)
            .field("waiting", &statistics.waiting)
            .finish()
    }
}

#[cfg(all(test, loom))]
mod tests;

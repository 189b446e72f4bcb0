//! The timers of one scheduler, and the entry that a wait holds in them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::queue::{TimerKey, TimerQueue};
use crate::context;

/// The timers of one scheduler.
#[derive(Debug)]
pub(crate) struct Timers {
    queue: RefCell<TimerQueue>,
    /// Deadlines are counted from here.
    origin: Instant,
    /// How many timers wait, for the loop to look at.
    len: Cell<usize>,
}

/// When a wait is over, as the caller put it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum When {
    /// So long after the wait begins.
    In(Duration),
    At(Instant),
}

impl When {
    /// Returns the instant, or `None` if it is too far away to exist.
    pub(crate) fn instant(self, now: Instant) -> Option<Instant> {
        match self {
            Self::In(timeout) => now.checked_add(timeout),
            Self::At(deadline) => Some(deadline),
        }
    }
}

impl Timers {
    pub(crate) fn new(origin: Instant) -> Rc<Self> {
        let queue = RefCell::new(TimerQueue::new());
        Rc::new(Self {
            queue,
            origin,
            len: Cell::new(0),
        })
    }

    /// Files a waker under a deadline. `None` if the deadline is centuries away: it never comes.
    pub(crate) fn insert(self: &Rc<Self>, deadline: Instant, waker: &Waker) -> Option<TimerEntry> {
        let deadline = self.since_origin(deadline)?;
        let waker = waker.clone();
        let key = self.with(|queue| queue.insert(deadline, waker));
        Some(TimerEntry {
            timers: Rc::clone(self),
            key,
        })
    }

    /// Returns whether no timer waits.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len.get() == 0
    }

    /// Returns how many timers wait.
    pub(crate) fn len(&self) -> usize {
        self.len.get()
    }

    /// Returns the time until the next deadline.
    pub(crate) fn next_timeout(&self, now: Instant) -> Option<Duration> {
        let deadline = self.queue.borrow().next_deadline()?;
        let now = self.since_origin(now).unwrap_or(u64::MAX);
        Some(Duration::from_nanos(deadline.saturating_sub(now)))
    }

    /// Fires what is due, `FIRED_MAX` timers at most, in the order of their deadlines.
    pub(crate) fn fire(&self, now: Instant) {
        let now = self.since_origin(now).unwrap_or(u64::MAX);
        for _ in 0..FIRED_MAX {
            let Some(waker) = self.with(|queue| queue.pop_due(now)) else {
                break;
            };
            waker.wake();
        }
    }

    /// Drops all wakers. The scheduler goes: nothing fires any more.
    pub(crate) fn silence(&self) {
        let wakers = self.with(TimerQueue::silence);
        drop(wakers);
    }

    /// Runs `f` on the queue. No waker runs under the borrow.
    fn with<R>(&self, f: impl FnOnce(&mut TimerQueue) -> R) -> R {
        let mut queue = self.queue.borrow_mut();
        let result = f(&mut queue);
        self.len.set(queue.len());
        result
    }

    fn since_origin(&self, instant: Instant) -> Option<u64> {
        u64::try_from(instant.saturating_duration_since(self.origin).as_nanos()).ok()
    }
}

/// A waker that is filed under a deadline until this is dropped.
#[derive(Debug)]
pub(crate) struct TimerEntry {
    timers: Rc<Timers>,
    key: TimerKey,
}

impl TimerEntry {
    /// Returns whether the deadline has come.
    pub(crate) fn has_fired(&self) -> bool {
        self.timers.queue.borrow().has_fired(self.key)
    }

    /// Returns whether the entry is with the scheduler that runs.
    pub(crate) fn is_here(&self) -> bool {
        let is_here = context::with_home(|home| Rc::ptr_eq(&self.timers, &home.timers));
        is_here.unwrap_or_default()
    }

    /// Exchanges the waker, if it has to be.
    pub(crate) fn update(&self, waker: &Waker) {
        let old = self.timers.queue.borrow_mut().update(self.key, waker);
        drop(old);
    }
}

impl Drop for TimerEntry {
    fn drop(&mut self) {
        let waker = self.timers.with(|queue| queue.remove(self.key));
        drop(waker);
    }
}

/// How many timers fire before the loop polls tasks again.
const FIRED_MAX: usize = 1024;

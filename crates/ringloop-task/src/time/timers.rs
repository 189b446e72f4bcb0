//! The timers of one scheduler, and the entry that a wait holds in them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;
use std::time::{Duration, Instant};

use super::queue::{Budget, Due, TimerKey, TimerQueue};
use crate::context;
use crate::home::Home;

/// The timers of one scheduler.
#[derive(Debug)]
pub(crate) struct Timers {
    queue: RefCell<TimerQueue>,
    /// Deadlines are counted from here.
    origin: Instant,
    /// How many timers have fired.
    fired: Cell<u64>,
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
            fired: Cell::new(0),
        })
    }

    /// Files a waker under a deadline. `None` if the deadline is centuries away: it never comes.
    pub(crate) fn insert(self: &Rc<Self>, deadline: Instant, waker: &Waker) -> Option<TimerEntry> {
        let due = Due::at(self.since_origin(deadline))?;
        let entry = self.file(due);
        entry.update(waker);
        Some(entry)
    }

    /// Files a timer that counts from the next look at the clock, which is at the end of this turn
    /// of the loop at the latest. `None` if it never comes. Nobody is woken before
    /// [`TimerEntry::arm`] says who.
    #[inline]
    pub(super) fn insert_after(self: &Rc<Self>, duration: Duration) -> Option<TimerEntry> {
        Due::after(duration).map(|due| self.file(due))
    }

    #[inline]
    fn file(self: &Rc<Self>, due: Due) -> TimerEntry {
        let key = self.queue.borrow_mut().insert(due);
        let timers = Rc::clone(self);
        TimerEntry { timers, key }
    }

    /// Returns whether no timer waits.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many timers wait.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.queue.borrow().len()
    }

    /// Returns how many timers have fired.
    pub(crate) fn fired(&self) -> u64 {
        self.fired.get()
    }

    /// Takes in, at a fresh look at the clock, what has been filed since the last one.
    #[inline]
    pub(crate) fn admit(&self, now: Instant) {
        if self.queue.borrow().has_arrivals() {
            let now = self.clamped(now);
            self.queue.borrow_mut().admit(now);
        }
    }

    /// Returns the time until something has to be done: the next deadline, or something before it.
    pub(crate) fn next_timeout(&self, now: Instant) -> Option<Duration> {
        self.admit(now);
        let next = self.queue.borrow_mut().next_look()?;
        let now = self.clamped(now);
        Some(Duration::from_nanos(next.saturating_sub(now)))
    }

    /// Returns whether a timer is due that has not fired.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.next_timeout(now) == Some(Duration::ZERO)
    }

    /// Fires what is due, `FIRED_MAX` timers at most, in the order of their deadlines:
    /// gives the wakers to `wake`.
    pub(crate) fn fire(&self, now: Instant, wake: impl Fn(Waker)) {
        self.admit(now);
        let now = self.clamped(now);
        let mut budget = Budget {
            fired: FIRED_MAX,
            moved: MOVED_MAX,
        };
        loop {
            let Some(fired) = self.queue.borrow_mut().pop_due(now, &mut budget) else {
                break;
            };
            if let Some(waker) = fired {
                self.fired.set(self.fired.get() + 1);
                wake(waker);
            }
        }
    }

    /// Gives back the memory of a crowd of timers that is gone.
    #[inline]
    pub(crate) fn give_back_memory(&self, kept: usize) {
        self.queue.borrow_mut().give_back_memory(kept);
    }

    /// Gives up all wakers, for the caller to drop. The scheduler goes: nothing fires any more.
    #[must_use = "dropping a waker may run foreign code"]
    pub(crate) fn silence(&self, now: Instant) -> Vec<Waker> {
        self.admit(now);
        self.queue.borrow_mut().silence()
    }

    fn since_origin(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.origin)
    }

    fn clamped(&self, instant: Instant) -> u64 {
        u64::try_from(self.since_origin(instant).as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A place under a deadline, until this is dropped.
#[derive(Debug)]
pub(crate) struct TimerEntry {
    timers: Rc<Timers>,
    key: TimerKey,
}

impl TimerEntry {
    /// Returns whether the deadline has come.
    #[inline]
    pub(crate) fn has_fired(&self) -> bool {
        self.timers.queue.borrow().has_fired(self.key)
    }

    /// Returns whether the entry is with the scheduler that runs.
    #[inline]
    pub(crate) fn is_here(&self) -> bool {
        context::with_home(|home| self.is_of(home)).unwrap_or_default()
    }

    /// Returns whether the entry is with that scheduler.
    #[inline]
    pub(crate) fn is_of(&self, home: &Home) -> bool {
        Rc::ptr_eq(&self.timers, &home.timers)
    }

    /// Exchanges who is woken, if it has to be.
    #[inline]
    pub(crate) fn update(&self, waker: &Waker) {
        if self.timers.queue.borrow().lacks(self.key, waker) {
            drop(self.arm(waker));
        }
    }

    /// Sets who is woken.
    ///
    /// # Errors
    ///
    /// The waker, if the deadline has come.
    #[inline]
    pub(super) fn arm(&self, waker: &Waker) -> Result<(), Waker> {
        // Cloning and dropping wakers is foreign code: not under a borrow.
        let waker = waker.clone();
        let old = self.timers.queue.borrow_mut().arm(self.key, waker)?;
        drop(old);
        Ok(())
    }

    /// Returns the deadline.
    pub(super) fn deadline(&self) -> Instant {
        // What counts from the next look at the clock is told by a look at the clock.
        context::with_home(|home| home.now());
        let deadline = self.timers.queue.borrow().deadline(self.key);
        self.timers.origin + Duration::from_nanos(deadline)
    }

    /// Moves the entry to another deadline. Returns false if it does not wait any more, or if the
    /// deadline never comes.
    pub(super) fn refile(&self, deadline: Instant) -> bool {
        let due = Due::at(self.timers.since_origin(deadline));
        due.is_some_and(|due| self.timers.queue.borrow_mut().refile(self.key, due))
    }
}

impl Drop for TimerEntry {
    #[inline]
    fn drop(&mut self) {
        let waker = self.timers.queue.borrow_mut().remove(self.key);
        drop(waker);
    }
}

/// How many timers fire before the loop polls tasks again.
const FIRED_MAX: u32 = 1024;
/// How many timers are moved about in the wheel before the loop polls tasks again.
const MOVED_MAX: u32 = 4 * FIRED_MAX;

//! Who waits for whom in a pool: the items in the queue, the idle workers, and the one on its way.
//!
//! The queue has two halves. Submitters push to the *inbox*, under a lock of its own; workers pop
//! from the *outbox*, under the lock that guards the workers, too, and when it is empty they swap
//! the two. So a burst costs a submitter one short, mostly uncontended lock per item.
//!
//! A worker without work puts its bell on the idle stack and waits for it to ring, or
//! [looks](super::lookout) for work a little while before. The first push after a swap *calls*: it
//! summons a worker, unless one is on its way already. A worker that has taken an item summons the
//! next one if there is more, before it runs its own. So a burst wakes as many workers as it takes
//! to drink it up, one by one, and the submitter pays for one of them at most; and what blocks a
//! worker blocks nothing behind it.
//!
//! Once items have been run side by side, a worker that is about to run one also sees to it that
//! another worker is idle: the reserve. A later item then finds a worker to wake, and the
//! submitter, which may be an event loop, need not start a thread.
//!
//! | file | noun |
//! |---|---|
//! | `roster` | [`Roster`]: what becomes of an item that is pushed |
//! | `inbox` | [`Inbox`]: where submitters put items |
//! | `state` | [`State`]: where workers find items, and each other |
//! | `summons` | [`Summons`]: who is told that there is work |
//! | `worker` | [`Worker`]: how one comes, waits for items and leaves |
//!
//! # Invariants
//!
//! I1 is that of the [worker], I3 and I5 are those of the [summons].
//!
//! - I2: while the inbox is not empty, `is_called` is set, and who set it has summoned a worker or
//!   is about to. While the queue is not empty after a summons, a worker is on its way to it, or
//!   all of them are busy and there are as many as there may be, or the last attempt to start one
//!   more has failed; the next push calls again in that case. With I1, a queued item gets its turn.
//! - I4: a closed roster has an empty queue and an empty stack, and both stay so.
//! - I6: who holds both locks has taken that of the workers first.

mod inbox;
mod state;
mod summons;
mod worker;

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::time::Duration;

use crate::clock::Clock;
use crate::loom::atomic::{AtomicBool, Ordering};
use crate::loom::{Condvar, Mutex, MutexGuard, lock};

use super::bell::Bell;
use super::error::PoolError;
use inbox::{Inbox, take_void};

pub(super) use state::State;
pub(super) use summons::Summons;
pub(super) use worker::{Taken, Worker};

/// How many workers there may be, and how much may wait for them.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) threads_max: usize,
    pub(super) threads_min: usize,
    pub(super) queue_bound: usize,
    pub(super) keep_alive: Duration,
}

/// What can be queued.
pub(super) trait Item {
    /// Whether nothing is left to run.
    fn is_void(&self) -> bool;
}

/// The items and the workers of a pool, and what is kept about them under the same lock.
pub(super) struct Roster<T, B> {
    limits: Limits,
    inbox: Padded<Mutex<Inbox<T>>>,
    state: Padded<Mutex<State<T, B>>>,
    /// Set when the worker that looks for work is wanted.
    called: Padded<AtomicBool>,
    /// Told when a worker leaves.
    pub(super) left: Condvar,
    pub(super) clock: Clock,
}
/// Numbers about a roster.
pub(super) struct Headcount {
    pub(super) threads: usize,
    pub(super) idle: usize,
    pub(super) queued: usize,
    pub(super) accepted: u64,
    pub(super) start_failures: u64,
}

/// A value on cache lines of its own: what one thread writes does not slow the readers of others.
#[repr(align(128))]
struct Padded<V>(V);

impl<T: Item, B> Roster<T, B> {
    pub(super) fn new(limits: Limits, book: B) -> Self {
        Self {
            limits,
            inbox: Padded(Mutex::new(Inbox::new())),
            state: Padded(Mutex::new(State::new(book))),
            called: Padded(AtomicBool::new(false)),
            left: Condvar::new(),
            clock: Clock::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State<T, B>> {
        lock(&self.state.0)
    }

    /// Queues an item and sees to it that a worker takes it, or gives it back with the reason.
    ///
    /// `start` starts a thread by the number it gets. It is called under the lock: I3.
    pub(super) fn push(
        &self,
        item: T,
        start: impl FnMut(u64) -> io::Result<()>,
    ) -> Result<(), (T, PoolError)> {
        let is_bounded = self.limits.queue_bound != usize::MAX;
        let mut inbox = self.inbox();
        if is_bounded || !inbox.is_staffed {
            drop(inbox);
            return self.push_carefully(item, start);
        }
        let void = inbox.push(item);
        let is_called = mem::replace(&mut inbox.is_called, true);
        drop(inbox);
        if !is_called {
            self.call(start);
        }
        drop(void);
        Ok(())
    }

    /// Pushes to a queue that is bounded, closed or without a worker.
    fn push_carefully(
        &self,
        item: T,
        mut start: impl FnMut(u64) -> io::Result<()>,
    ) -> Result<(), (T, PoolError)> {
        let mut state = self.lock();
        while !state.is_closed && self.is_full(&state) {
            let void = self.sweep(&mut state);
            if void.is_empty() && !self.grow(&mut state, &mut start) {
                let bound = self.limits.queue_bound;
                return Err((item, PoolError::Full { bound }));
            }
            drop(state);
            drop(void);
            state = self.lock();
        }
        if state.is_closed {
            return Err((item, PoolError::Closed));
        }
        let called = match self.call_now(&mut state, start) {
            Err(error) if state.threads == 0 => return Err((item, PoolError::NoThread(error))),
            called => called,
        };
        let mut inbox = self.inbox();
        inbox.is_staffed = true;
        inbox.is_called = called.is_ok();
        let void = inbox.push(item);
        drop(inbox);
        drop(state);
        if let Ok(Some(bell)) = called {
            bell.ring();
        }
        drop(void);
        Ok(())
    }

    /// Swaps an empty outbox with the inbox. Returns whether there is an item.
    fn refill(&self, state: &mut State<T, B>) -> bool {
        if state.outbox.is_empty() {
            let mut inbox = self.inbox();
            inbox.is_called = false;
            mem::swap(&mut inbox.items, &mut state.outbox);
        }
        !state.outbox.is_empty()
    }

    /// Takes no more items, sends the idle workers home and returns what was queued.
    pub(super) fn close(&self, mut state: MutexGuard<'_, State<T, B>>) -> VecDeque<T> {
        state.is_closed = true;
        state.is_looking = false;
        // Relaxed: the worker that is called takes the lock.
        self.called.0.store(true, Ordering::Relaxed);
        let mut inbox = self.inbox();
        inbox.is_staffed = false;
        let mut queued = mem::take(&mut state.outbox);
        queued.append(&mut inbox.items);
        drop(inbox);
        let idle = mem::take(&mut state.idle);
        drop(state);
        for bell in idle {
            bell.ring();
        }
        queued
    }

    pub(super) fn headcount(&self, state: &State<T, B>) -> Headcount {
        let inbox = self.inbox();
        Headcount {
            threads: state.threads(),
            idle: state.idle(),
            queued: state.outbox.len() + inbox.items.len(),
            accepted: inbox.accepted,
            start_failures: state.start_failures,
        }
    }

    /// Whether items wait and no worker is free, on its way or can be started.
    pub(super) fn is_saturated(&self, state: &State<T, B>) -> bool {
        let is_waiting = !state.outbox.is_empty() || !self.inbox().items.is_empty();
        is_waiting && state.available(&self.limits) == 0
    }

    /// Looks at all items that wait, the oldest first.
    pub(super) fn for_each(&self, state: &State<T, B>, look: impl FnMut(&T)) {
        let inbox = self.inbox();
        state.outbox.iter().chain(&inbox.items).for_each(look);
    }

    /// Waits for a bell that is nobody's of the workers.
    pub(super) fn doze<'a>(
        &'a self,
        state: MutexGuard<'a, State<T, B>>,
        bell: &Bell,
        patience: Duration,
    ) -> MutexGuard<'a, State<T, B>> {
        bell.wait(&self.state.0, state, Some(patience)).0
    }

    /// Lets tests wait for more than workers that leave.
    pub(super) fn note_change(&self) {
        if cfg!(test) {
            self.left.notify_all();
        }
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox<T>> {
        lock(&self.inbox.0)
    }

    /// Whether as many items wait as may, those left out for which a worker is free or can come.
    fn is_full(&self, state: &State<T, B>) -> bool {
        let bound = self.limits.queue_bound;
        let len = state.outbox.len() + self.inbox().items.len();
        len >= bound.saturating_add(state.available(&self.limits))
    }

    /// Takes void items out of a full queue, to be dropped without the lock. It does so now and
    /// then only: to refuse has to stay cheap when there is much to refuse.
    fn sweep(&self, state: &mut State<T, B>) -> Vec<T> {
        if state.sweep_pause > 0 {
            state.sweep_pause -= 1;
            return Vec::new();
        }
        let mut void = take_void(&mut state.outbox);
        let mut inbox = self.inbox();
        void.append(&mut inbox.sweep());
        state.sweep_pause = (state.outbox.len() + inbox.items.len()) / 16;
        void
    }
}

#[cfg(test)]
mod tests;

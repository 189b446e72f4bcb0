//! Who is told that there is work, and how: at most one worker at a time.
//!
//! # Invariants
//!
//! - I3: a submitter starts a thread under the lock, and pushes its item only after that if there
//!   was no worker: so no item is in the queue of a roster without workers. A worker starts one
//!   without the lock: it is itself a worker that looks at the queue later.
//! - I5: `is_coming` is set for exactly one worker: one that was taken off the stack, called while
//!   it looked, or started, and has not had the lock since. That worker alone clears it, or whoever
//!   failed to start it.

use std::io;

use crate::loom::Arc;
use crate::loom::atomic::Ordering;
use crate::pool::bell::Bell;

use super::{Item, Roster, State};

/// The worker that has to be told that there is work.
#[must_use = "I2 counts on it"]
pub(in crate::pool) enum Summons {
    Nobody,
    Ring(Arc<Bell>),
    /// Starts a thread by this number. Its place is taken already.
    Start(u64),
}

impl<T: Item, B> Roster<T, B> {
    /// Finds a worker to come, unless one is on its way: I5.
    pub(super) fn summon(&self, state: &mut State<T, B>) -> Summons {
        if state.is_coming {
            return Summons::Nobody;
        }
        if state.is_looking {
            state.is_looking = false;
            state.is_coming = true;
            // Relaxed: the worker that is called takes the lock.
            self.called.0.store(true, Ordering::Relaxed);
            return Summons::Nobody;
        }
        if let Some(bell) = state.idle.pop() {
            state.is_coming = true;
            return Summons::Ring(bell);
        }
        if state.threads < self.limits.threads_max {
            state.is_coming = true;
            state.threads += 1;
            state.started += 1;
            return Summons::Start(state.started - 1);
        }
        Summons::Nobody
    }

    /// Summons a worker after the first push since a swap.
    pub(super) fn call(&self, start: impl FnOnce(u64) -> io::Result<()>) {
        let mut state = self.lock();
        // The item may have been taken, and its worker may be gone since.
        if state.outbox.is_empty() && self.inbox().items.is_empty() {
            return;
        }
        let called = self.call_now(&mut state, start);
        drop(state);
        if let Ok(Some(bell)) = called {
            bell.ring();
        }
    }

    /// Summons a worker for a submitter: starts one under the lock, or returns the bell to be rung
    /// without it. I3.
    pub(super) fn call_now(
        &self,
        state: &mut State<T, B>,
        start: impl FnOnce(u64) -> io::Result<()>,
    ) -> io::Result<Option<Arc<Bell>>> {
        match self.summon(state) {
            Summons::Nobody => Ok(None),
            Summons::Ring(bell) => Ok(Some(bell)),
            Summons::Start(number) => {
                let started = start(number);
                self.note_start(state, started).map(|()| None)
            }
        }
    }

    /// Starts a thread for a full queue, if the last attempt to start one has failed, and returns
    /// whether it did. Nobody else would try again while the queue has no room. It does so now and
    /// then only: to refuse has to stay cheap.
    pub(super) fn grow(
        &self,
        state: &mut State<T, B>,
        start: impl FnOnce(u64) -> io::Result<()>,
    ) -> bool {
        let is_wanted = state.is_short && !state.is_coming && state.idle() == 0;
        if !is_wanted || state.threads >= self.limits.threads_max {
            return false;
        }
        if state.start_pause > 0 {
            state.start_pause -= 1;
            return false;
        }
        state.start_pause = START_PAUSE;
        self.call_now(state, start).is_ok()
    }

    /// Tells who has to come before the worker runs the item that it has taken: I2.
    pub(in crate::pool) fn follow_up(&self, state: &mut State<T, B>) -> Summons {
        if self.refill(state) || state.wants_reserve(&self.limits) {
            self.summon(state)
        } else {
            Summons::Nobody
        }
    }

    /// Does on a worker what it was told: I3.
    pub(in crate::pool) fn fulfil(
        &self,
        summons: Summons,
        start: impl FnOnce(u64) -> io::Result<()>,
    ) {
        match summons {
            Summons::Nobody => {}
            Summons::Ring(bell) => bell.ring(),
            Summons::Start(number) => {
                let started = start(number);
                let mut state = self.lock();
                if self.note_start(&mut state, started).is_err() {
                    self.left.notify_all();
                }
            }
        }
    }

    /// Takes back the place of a worker that could not be started.
    fn note_start(&self, state: &mut State<T, B>, started: io::Result<()>) -> io::Result<()> {
        state.is_short = started.is_err();
        if state.is_short {
            state.is_coming = false;
            state.threads -= 1;
            state.start_failures += 1;
            // The next push tries again.
            self.inbox().is_called = false;
        }
        started
    }
}

/// Refusals from one attempt to start a thread for a full queue to the next.
const START_PAUSE: usize = 16;

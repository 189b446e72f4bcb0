//! How a worker comes, waits for items, and leaves.
//!
//! # Invariants
//!
//! - I1: a worker whose bell is on the stack waits for it; every other one looks at both halves of
//!   the queue before it waits or leaves. At most one worker looks for work, and it is not on the
//!   stack.

use std::time::Duration;

use crate::loom::atomic::Ordering;
use crate::loom::{Arc, MutexGuard};
use crate::pool::bell::Bell;
use crate::pool::lookout::Lookout;

use super::{Item, Roster, State, Summons};

/// What a worker keeps for itself between two items.
pub(in crate::pool) struct Worker {
    bell: Arc<Bell>,
    pub(super) lookout: Lookout,
}

/// An item for a worker.
pub(in crate::pool) struct Taken<T> {
    pub(in crate::pool) item: T,
    /// Whether the worker had to wait for it.
    pub(in crate::pool) has_waited: bool,
}

impl<T: Item, B> Roster<T, B> {
    /// Reports that a started worker has come. It may look at the queue at once, or be busy first:
    /// then it has to fulfil the summons.
    pub(in crate::pool) fn arrive(&self, is_busy: bool) -> (MutexGuard<'_, State<T, B>>, Summons) {
        let mut state = self.lock();
        state.is_coming = false;
        let summons = if is_busy && self.refill(&mut state) {
            self.summon(&mut state)
        } else {
            Summons::Nobody
        };
        (state, summons)
    }

    /// Takes the next item, waiting for it as long as the worker may. `None`: the worker does not
    /// count any more and has to leave, and to say so with [`gone`](Self::gone).
    pub(in crate::pool) fn take<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<T, B>>,
        worker: &mut Worker,
    ) -> (MutexGuard<'a, State<T, B>>, Option<Taken<T>>) {
        let mut has_waited = false;
        let mut has_looked = false;
        loop {
            self.refill(&mut state);
            if let Some(item) = state.outbox.pop_front() {
                return (state, Some(Taken { item, has_waited }));
            }
            if state.is_closed {
                break;
            }
            has_waited = true;
            // One that is on its way would take what the look finds.
            if !has_looked && !state.is_looking && !state.is_coming && worker.lookout.pays() {
                has_looked = true;
                state = self.look(state, worker);
                continue;
            }
            let is_over;
            (state, is_over) = self.sleep(state, worker);
            if is_over && self.lets_go(&state) {
                break;
            }
        }
        state.threads -= 1;
        state.leaving += 1;
        (state, None)
    }

    fn look<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<T, B>>,
        worker: &mut Worker,
    ) -> MutexGuard<'a, State<T, B>> {
        state.is_looking = true;
        self.called.0.store(false, Ordering::Relaxed);
        drop(state);
        worker.lookout.look(&self.called.0, &self.clock);
        let mut state = self.lock();
        if state.is_looking {
            state.is_looking = false;
        } else {
            state.is_coming = false;
        }
        state
    }

    /// Waits on the idle stack. Returns whether the worker's time is up.
    fn sleep<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<T, B>>,
        worker: &Worker,
    ) -> (MutexGuard<'a, State<T, B>>, bool) {
        // One that has to stay anyway needs no alarm.
        let may_leave = state.threads > self.limits.threads_min;
        let patience = self.limits.keep_alive;
        let patience = (may_leave && patience != Duration::MAX).then_some(patience);
        state.idle.push(Arc::clone(&worker.bell));
        self.note_change();
        let (mut state, is_over) = worker.bell.wait(&self.state.0, state, patience);
        // A bell that is still on the stack was rung by nobody: the time is up, or the wait ended
        // for no reason.
        let is_unclaimed = state.unlist(&worker.bell);
        if !is_unclaimed {
            state.is_coming = false;
        }
        (state, is_over && is_unclaimed)
    }

    /// Whether a worker whose time is up may leave. The last one closes the inbox behind it, so
    /// that who comes next starts another one: I3.
    fn lets_go(&self, state: &State<T, B>) -> bool {
        if state.threads <= self.limits.threads_min || !state.outbox.is_empty() {
            return false;
        }
        let mut inbox = self.inbox();
        if !inbox.items.is_empty() {
            return false;
        }
        inbox.is_staffed = state.threads > 1;
        true
    }

    /// Takes a worker that has left off the books.
    pub(in crate::pool) fn gone(&self) {
        self.lock().leaving -= 1;
        self.left.notify_all();
    }
}

impl Worker {
    pub(in crate::pool) fn new() -> Self {
        Self {
            bell: Arc::new(Bell::new()),
            lookout: Lookout::default(),
        }
    }

    /// Takes note of how long it was idle before its item.
    pub(in crate::pool) fn note_idle(&mut self, idle: Duration) {
        self.lookout.note_idle(idle);
    }
}

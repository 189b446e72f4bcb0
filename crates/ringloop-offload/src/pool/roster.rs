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
//! # Invariants
//!
//! - I1: a worker whose bell is on the stack waits for it; every other one looks at both halves of
//!   the queue before it waits or leaves. At most one worker looks for work, and it is not on the
//!   stack.
//! - I2: while the inbox is not empty, `is_called` is set, and who set it has summoned a worker or
//!   is about to. While the queue is not empty after a summons, a worker is on its way to it, or
//!   all of them are busy and there are as many as there may be, or the last attempt to start one
//!   more has failed; the next push calls again in that case. With I1, a queued item gets its turn.
//! - I3: a submitter starts a thread under the lock, and pushes its item only after that if there
//!   was no worker: so no item is in the queue of a roster without workers. A worker starts one
//!   without the lock: it is itself a worker that looks at the queue later.
//! - I4: a closed roster has an empty queue and an empty stack, and both stay so.
//! - I5: `is_coming` is set for exactly one worker: one that was taken off the stack, called while
//!   it looked, or started, and has not had the lock since. That worker alone clears it, or whoever
//!   failed to start it.
//! - I6: who holds both locks has taken that of the workers first.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::time::Duration;

use crate::clock::Clock;
use crate::loom::atomic::{AtomicBool, Ordering};
use crate::loom::{Arc, Condvar, Mutex, MutexGuard, lock};

use super::bell::Bell;
use super::error::PoolError;
use super::lookout::Lookout;

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

/// Where submitters put items.
struct Inbox<T> {
    items: VecDeque<T>,
    /// The length at which void items are swept out.
    sweep_len: usize,
    /// Whether a worker was summoned since the last swap.
    is_called: bool,
    /// Whether there is a worker, and the roster is open.
    is_staffed: bool,
    accepted: u64,
}

/// Where workers find items, and each other.
pub(super) struct State<T, B> {
    outbox: VecDeque<T>,
    /// The bells of idle workers, the most recently idle last.
    idle: Vec<Arc<Bell>>,
    is_looking: bool,
    is_coming: bool,
    is_closed: bool,
    /// Whether the last attempt to start a thread failed.
    is_short: bool,
    /// Workers that take items, and the one that is being started.
    threads: usize,
    /// Workers that take no more items and are about to be gone.
    leaving: usize,
    started: u64,
    start_failures: u64,
    /// Pushes to be refused before a full queue is swept again.
    sweep_pause: usize,
    /// Pushes to be refused before a full queue asks for a thread again that could not be had.
    start_pause: usize,
    pub(super) book: B,
}

/// An item for a worker.
pub(super) struct Taken<T> {
    pub(super) item: T,
    /// Whether the worker had to wait for it.
    pub(super) has_waited: bool,
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

/// What a worker keeps for itself between two items.
pub(super) struct Worker {
    bell: Arc<Bell>,
    lookout: Lookout,
}

/// The worker that has to be told that there is work.
#[must_use = "I2 counts on it"]
pub(super) enum Summons {
    Nobody,
    Ring(Arc<Bell>),
    /// Starts a thread by this number. Its place is taken already.
    Start(u64),
}

impl<T: Item, B> Roster<T, B> {
    pub(super) fn new(limits: Limits, book: B) -> Self {
        Self {
            limits,
            inbox: Padded(Mutex::new(Inbox {
                items: VecDeque::new(),
                sweep_len: SWEEP_LEN_MIN,
                is_called: false,
                is_staffed: false,
                accepted: 0,
            })),
            state: Padded(Mutex::new(State {
                outbox: VecDeque::new(),
                idle: Vec::new(),
                is_looking: false,
                is_coming: false,
                is_closed: false,
                is_short: false,
                threads: 0,
                leaving: 0,
                started: 0,
                start_failures: 0,
                sweep_pause: 0,
                start_pause: 0,
                book,
            })),
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

    /// Reports that a started worker has come. It may look at the queue at once, or be busy first:
    /// then it has to fulfil the summons.
    pub(super) fn arrive(&self, is_busy: bool) -> (MutexGuard<'_, State<T, B>>, Summons) {
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
    pub(super) fn take<'a>(
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

    /// Tells who has to come before the worker runs the item that it has taken: I2.
    pub(super) fn follow_up(&self, state: &mut State<T, B>) -> Summons {
        if self.refill(state) || state.wants_reserve(&self.limits) {
            self.summon(state)
        } else {
            Summons::Nobody
        }
    }

    /// Does on a worker what it was told: I3.
    pub(super) fn fulfil(&self, summons: Summons, start: impl FnOnce(u64) -> io::Result<()>) {
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

    /// Takes a worker that has left off the books.
    pub(super) fn gone(&self) {
        self.lock().leaving -= 1;
        self.left.notify_all();
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

    fn inbox(&self) -> MutexGuard<'_, Inbox<T>> {
        lock(&self.inbox.0)
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
        let summons = self.summon(&mut state);
        let called = match self.call_now(&mut state, summons, start) {
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

    /// Summons a worker after the first push since a swap.
    fn call(&self, start: impl FnOnce(u64) -> io::Result<()>) {
        let mut state = self.lock();
        // The item may have been taken, and its worker may be gone since.
        if state.outbox.is_empty() && self.inbox().items.is_empty() {
            return;
        }
        let summons = self.summon(&mut state);
        let called = self.call_now(&mut state, summons, start);
        drop(state);
        if let Ok(Some(bell)) = called {
            bell.ring();
        }
    }

    /// Starts a thread under the lock if that is the summons, or returns the bell to be rung.
    fn call_now(
        &self,
        state: &mut State<T, B>,
        summons: Summons,
        start: impl FnOnce(u64) -> io::Result<()>,
    ) -> io::Result<Option<Arc<Bell>>> {
        match summons {
            Summons::Nobody => Ok(None),
            Summons::Ring(bell) => Ok(Some(bell)),
            Summons::Start(number) => {
                let started = start(number);
                self.note_start(state, started).map(|()| None)
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

    /// Finds a worker to come, unless one is on its way: I5.
    fn summon(&self, state: &mut State<T, B>) -> Summons {
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

    /// Swaps an empty outbox with the inbox. Returns whether there is an item.
    fn refill(&self, state: &mut State<T, B>) -> bool {
        if state.outbox.is_empty() {
            let mut inbox = self.inbox();
            inbox.is_called = false;
            mem::swap(&mut inbox.items, &mut state.outbox);
        }
        !state.outbox.is_empty()
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

    /// Lets tests wait for more than workers that leave.
    pub(super) fn note_change(&self) {
        if cfg!(test) {
            self.left.notify_all();
        }
    }

    /// Whether as many items wait as may, those left out for which a worker is free or can come.
    fn is_full(&self, state: &State<T, B>) -> bool {
        let bound = self.limits.queue_bound;
        let len = state.outbox.len() + self.inbox().items.len();
        len >= bound.saturating_add(state.available(&self.limits))
    }

    /// Starts a thread for a full queue, if the last attempt to start one has failed, and returns
    /// whether it did. Nobody else would try again while the queue has no room. It does so now and
    /// then only: to refuse has to stay cheap.
    fn grow(&self, state: &mut State<T, B>, start: impl FnOnce(u64) -> io::Result<()>) -> bool {
        if !state.is_short || state.idle() > 0 {
            return false;
        }
        if state.start_pause > 0 {
            state.start_pause -= 1;
            return false;
        }
        state.start_pause = START_PAUSE;
        let summons @ Summons::Start(_) = self.summon(state) else {
            return false;
        };
        self.call_now(state, summons, start).is_ok()
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

impl<T: Item, B> State<T, B> {
    pub(super) fn threads(&self) -> usize {
        self.threads + self.leaving
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Workers that wait for an item.
    pub(super) fn idle(&self) -> usize {
        self.idle.len() + usize::from(self.is_looking)
    }

    /// Workers that are free for an item, or will be, or may be started for one.
    fn available(&self, limits: &Limits) -> usize {
        let is_hopeless = self.is_short && self.threads > 0;
        let startable = if is_hopeless {
            0
        } else {
            limits.threads_max - self.threads
        };
        self.idle() + usize::from(self.is_coming) + startable
    }

    /// Whether items are run side by side and nobody is there for the next one.
    fn wants_reserve(&self, limits: &Limits) -> bool {
        self.threads >= 2
            && !self.is_short
            && !self.is_looking
            && self.idle.is_empty()
            && !limits.keep_alive.is_zero()
    }

    /// Takes a bell off the idle stack and returns whether it was there.
    fn unlist(&mut self, bell: &Arc<Bell>) -> bool {
        let index = self.idle.iter().rposition(|idle| Arc::ptr_eq(idle, bell));
        if let Some(index) = index {
            self.idle.remove(index);
        }
        index.is_some()
    }
}

impl<T: Item> Inbox<T> {
    /// Queues an item. Returns others that are void, to be dropped without the lock: the end of
    /// an item may be foreign code, and may push another one.
    fn push(&mut self, item: T) -> Vec<T> {
        let mut void = Vec::new();
        if self.items.len() >= self.sweep_len {
            void = self.sweep();
        }
        self.items.push_back(item);
        self.accepted += 1;
        void
    }

    /// Takes void items out. The length doubles before the next sweep: constant cost per push.
    fn sweep(&mut self) -> Vec<T> {
        let void = take_void(&mut self.items);
        self.sweep_len = SWEEP_LEN_MIN.max(self.items.len() * 2);
        void
    }
}

fn take_void<T: Item>(items: &mut VecDeque<T>) -> Vec<T> {
    let mut void = Vec::new();
    for _ in 0..items.len() {
        if let Some(item) = items.pop_front() {
            if item.is_void() {
                void.push(item);
            } else {
                items.push_back(item);
            }
        }
    }
    void
}

impl Worker {
    pub(super) fn new() -> Self {
        Self {
            bell: Arc::new(Bell::new()),
            lookout: Lookout::default(),
        }
    }

    /// Takes note of how long it was idle before its item.
    pub(super) fn note_idle(&mut self, idle: Duration) {
        self.lookout.note_idle(idle);
    }
}

const SWEEP_LEN_MIN: usize = 64;
const START_PAUSE: usize = 16;

#[cfg(test)]
mod tests;

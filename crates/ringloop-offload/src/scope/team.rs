//! The queue of a scope, and those who empty it: the caller, and helpers that an executor sends.
//!
//! # Invariants
//!
//! - T1: `unended` counts the errands that have not ended: queued, or claimed and not yet dropped
//!   by whoever ran them. Only then is one fewer counted.
//! - T2: an errand is claimed by whoever takes it out of the queue, under the lock, or by the one
//!   who joins it. The one who joins it also takes its result, and holds a reference till then. So
//!   what is thrown out of the queue because it was claimed is empty or not the last reference.
//! - T3: `unended` is zero when [`finish`](Team::finish) returns, and `executor` is gone. Nobody
//!   makes either come back: errands are added by the scope's body and by its errands alone.
//! - T4: the executor is called by the scope's body, or by somebody who has claimed an errand that
//!   has not ended, so before `finish` returns.
//! - T5: `coming` is set from the moment at which a helper is sent for until it comes or is lost.
//!   While an executor is being called nobody else calls it: if the helper comes within the call,
//!   the caller looks again afterwards. So executors that run jobs at once do not nest without
//!   end, and one that loses them is not asked again and again.

use std::collections::VecDeque;
use std::mem;
use std::panic::Location;
use std::sync::{Arc, PoisonError};

use crate::contain::{Payload, catch, drop_quietly};
use crate::executor::Executor;
use crate::job::{self, Hands, Help, Helper, Job, Watch, Work};
use crate::loom::{Condvar, Mutex, MutexGuard, lock};

use super::errand::{Errand, Yield, Yields};

/// What the threads that work for a scope share.
pub(super) struct Team {
    state: Mutex<State>,
    /// Rung for joiners when an errand has ended, and for the caller who waits at the end when the
    /// last one has, or when one is queued.
    changed: Condvar,
    /// The job in which the scope is.
    job: Option<Watch>,
    location: &'static Location<'static>,
}

struct State {
    queue: VecDeque<(Number, Arc<dyn Errand>)>,
    /// The queue length at which claimed errands are swept out.
    sweep_len: usize,
    added: Number,
    unended: usize,
    executor: Option<&'static dyn Executor>,
    /// The helper that was sent for.
    coming: Option<Arc<dyn Work>>,
    is_calling: bool,
    /// Helpers that came.
    came: u64,
    joiners: usize,
    is_finisher_asleep: bool,
    /// Panics that nobody has joined, the first one first.
    panics: Vec<(Number, Payload)>,
}

/// Tells the errands of a scope apart.
pub(super) type Number = u64;

/// An errand that was claimed, and has to be run.
type Claimed = (Number, Arc<dyn Errand>);

impl Team {
    pub(super) fn new(
        executor: &'static dyn Executor,
        location: &'static Location<'static>,
    ) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                sweep_len: SWEEP_LEN_MIN,
                added: 0,
                unended: 0,
                executor: Some(executor),
                coming: None,
                is_calling: false,
                came: 0,
                joiners: 0,
                is_finisher_asleep: false,
                panics: Vec::new(),
            }),
            changed: Condvar::new(),
            job: job::current(),
            location,
        })
    }

    /// Queues an errand and sends for a helper, if none is on its way.
    pub(super) fn add(self: &Arc<Self>, errand: Arc<dyn Errand>) -> Number {
        let mut state = lock(&self.state);
        assert!(state.executor.is_some(), "the scope is over");
        let number = state.push(errand);
        let is_finisher_asleep = state.is_finisher_asleep;
        self.send_for_helper(state);
        if is_finisher_asleep {
            self.changed.notify_all();
        }
        number
    }

    /// Waits until all errands have ended, and runs those that are queued meanwhile. Returns the
    /// first panic that was not joined.
    pub(super) fn finish(&self) -> Option<Payload> {
        let mut state = lock(&self.state);
        loop {
            if let Some(claimed) = state.claim() {
                drop(state);
                state = self.perform(claimed);
            } else if state.unended > 0 {
                state.is_finisher_asleep = true;
                state = self.wait(state);
                state.is_finisher_asleep = false;
            } else {
                break;
            }
        }
        state.executor = None;
        let late = state.coming.take();
        let panics = mem::take(&mut state.panics);
        drop(state);
        if let Some(late) = late {
            // Executors may throw it away.
            let _is_queued = late.cancel(None);
        }
        let mut payloads = panics.into_iter().map(|(_number, payload)| payload);
        let first = payloads.next();
        payloads.for_each(drop_quietly);
        first
    }

    /// Runs the errand if it is queued, waits for it if it runs, and returns what comes of it.
    pub(super) fn join<T>(&self, number: Number, errand: &dyn Yields<T>) -> Result<T, Payload> {
        let mut state = if errand.claim() {
            let panic = errand.run();
            self.settle(number, panic, None)
        } else {
            lock(&self.state)
        };
        loop {
            if let Some(Yield::Value(value)) = errand.take() {
                return Ok(value);
            }
            if let Some(payload) = state.take_panic(number) {
                return Err(payload);
            }
            state.joiners += 1;
            state = self.wait(state);
            state.joiners -= 1;
        }
    }

    /// Keeps a panic for the end of the scope.
    pub(super) fn note_panic(&self, number: Number, payload: Payload) {
        lock(&self.state).panics.push((number, payload));
    }

    /// Runs an errand that came out of the queue.
    fn perform(&self, (number, errand): Claimed) -> MutexGuard<'_, State> {
        let panic = errand.run();
        // If nobody is going to join, this is where the result is dropped.
        let second_panic = catch(move || drop(errand)).err();
        self.settle(number, panic, second_panic)
    }

    /// Counts an errand as ended: T1.
    fn settle(
        &self,
        number: Number,
        panic: Option<Payload>,
        second_panic: Option<Payload>,
    ) -> MutexGuard<'_, State> {
        let mut state = lock(&self.state);
        let panics = panic.into_iter().chain(second_panic);
        state.panics.extend(panics.map(|panic| (number, panic)));
        state.unended -= 1;
        if state.joiners > 0 || (state.is_finisher_asleep && state.unended == 0) {
            self.changed.notify_all();
        }
        state
    }

    /// Calls the executor, unless it is being called or a helper is on its way: T4, T5.
    fn send_for_helper<'a>(self: &'a Arc<Self>, mut state: MutexGuard<'a, State>) {
        while !state.queue.is_empty() && state.coming.is_none() && !state.is_calling {
            let Some(executor) = state.executor else {
                return;
            };
            let helper = Helper::new(Arc::clone(self), self.location);
            let job = Job::of(Arc::<Helper<Self>>::clone(&helper));
            state.coming = Some(helper);
            state.is_calling = true;
            let came_before = state.came;
            drop(state);
            // One that panics is one that refuses.
            match catch(|| executor.execute(job)) {
                Ok(Ok(())) => {}
                Ok(Err(refused)) => drop_quietly(refused),
                Err(payload) => drop_quietly(payload),
            }
            state = lock(&self.state);
            state.is_calling = false;
            if state.came == came_before {
                return;
            }
        }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let waited = self.changed.wait(state);
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Help for Team {
    /// Runs errands until there are none.
    fn help(self: &Arc<Self>, hands: &Hands<'_>) -> bool {
        let mut state = lock(&self.state);
        let came = state.coming.take();
        state.came += 1;
        let Some(mut claimed) = state.claim() else {
            drop(state);
            drop(came);
            return false;
        };
        hands.work_for(self.job.as_ref(), || {
            loop {
                self.send_for_helper(state);
                state = self.perform(claimed);
                match state.claim() {
                    Some(next) => claimed = next,
                    None => return true,
                }
            }
        })
    }

    fn lose_helper(&self) {
        let lost = lock(&self.state).coming.take();
        drop(lost);
    }
}

impl State {
    fn push(&mut self, errand: Arc<dyn Errand>) -> Number {
        if self.queue.len() >= self.sweep_len {
            // No foreign code runs here: T2.
            self.queue.retain(|(_number, errand)| !errand.is_claimed());
            self.sweep_len = SWEEP_LEN_MIN.max(self.queue.len() * 2);
        }
        let number = self.added;
        self.added += 1;
        self.unended += 1;
        self.queue.push_back((number, errand));
        number
    }

    /// Takes an errand that nobody has claimed: T2.
    fn claim(&mut self) -> Option<Claimed> {
        while let Some(next) = self.queue.pop_front() {
            if next.1.claim() {
                return Some(next);
            }
        }
        None
    }

    fn take_panic(&mut self, number: Number) -> Option<Payload> {
        let mut panics = self.panics.iter();
        let index = panics.position(|(panicked, _payload)| *panicked == number)?;
        Some(self.panics.remove(index).1)
    }
}

const SWEEP_LEN_MIN: usize = 16;

//! The slots of a limiter and the jobs that wait for one.
//!
//! # Invariants
//!
//! - I1: a job that is not cancelled waits only while at least `limit` slots are in use, or while
//!   somebody who has seen that fewer are is granting them: who has raised the limit, or has queued
//!   a job meanwhile. Nobody overtakes those that wait.
//! - I2: `in_use` counts the slots that jobs hold and those that are on their way from one job to
//!   the next. Each of these has one owner, who gives it back once.
//! - I3: no foreign code runs under the lock. What leaves the queue is dropped by the caller, also
//!   jobs that were cancelled: they may carry the slot of another limiter.

use std::collections::VecDeque;
use std::mem;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use crate::contain::{drop_quietly, lock};
use crate::error::Refusal;
use crate::executor::Executor;
use crate::job::{Home, Job};

use super::stats::LimiterStats;

/// What the handles of a limiter and its slots share.
pub(super) struct Shared {
    state: Mutex<State>,
}

struct State {
    limit: usize,
    in_use: usize,
    queue: VecDeque<Waiting>,
    /// The queue length at which cancelled jobs are swept out.
    sweep_len: usize,
    waiting_max: usize,
    granted: u64,
    delayed: u64,
}

/// A job in the queue, and where it goes.
pub(super) struct Waiting {
    pub(super) job: Job,
    pub(super) executor: Arc<dyn Executor>,
}

/// What [`Shared::admit`] decided.
pub(super) enum Admission {
    /// The job may go on; a slot was taken for it.
    Granted(Job),
    /// The job waits. The rest is for the caller to drop.
    Queued {
        swept: Vec<Waiting>,
        stale: Option<Box<Refusal>>,
        /// Slots are free, because the limit is just growing: the caller helps to grant them.
        is_free: bool,
    },
}

/// Who gets a slot, if anybody, and what has left the queue besides.
#[must_use = "the slot is taken"]
pub(super) struct Next {
    waiting: Option<Waiting>,
    cancelled: Vec<Waiting>,
}

impl Next {
    /// Drops the rest.
    pub(super) fn waiting(self) -> Option<Waiting> {
        Waiting::discard(self.cancelled);
        self.waiting
    }
}

impl Waiting {
    /// Drops jobs that have ended.
    pub(super) fn discard(ended: Vec<Self>) {
        for Self { job, executor } in ended {
            drop(job);
            drop_quietly(executor);
        }
    }
}

impl Shared {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            state: Mutex::new(State {
                limit,
                in_use: 0,
                queue: VecDeque::new(),
                sweep_len: SWEEP_LEN_MIN,
                waiting_max: 0,
                granted: 0,
                delayed: 0,
            }),
        }
    }

    /// What tells this limiter from all others, and from pools.
    pub(super) fn home(&self) -> Home {
        NonNull::from(self).addr()
    }

    /// Takes a slot for `job`, or queues it.
    pub(super) fn admit(
        &self,
        mut job: Job,
        executor: impl FnOnce() -> Arc<dyn Executor>,
    ) -> Admission {
        let mut state = lock(&self.state);
        if state.in_use < state.limit && state.queue.is_empty() {
            state.in_use += 1;
            state.granted += 1;
            return Admission::Granted(job);
        }
        // A job that holds a slot may run it out of turn, when it waits for it.
        job.set_home(self.home());
        let stale = job.take_refusal();
        let executor = executor();
        Admission::Queued {
            swept: state.push(Waiting { job, executor }),
            stale,
            is_free: state.in_use < state.limit,
        }
    }

    /// Gives a slot back that is in use, if the queue is empty. Returns whether it did.
    pub(super) fn give_back_unwanted(&self) -> bool {
        let mut state = lock(&self.state);
        let is_unwanted = state.queue.is_empty();
        state.in_use -= usize::from(is_unwanted);
        is_unwanted
    }

    /// Gives a slot back that is in use, and takes it for the first in the queue, if the limit
    /// allows.
    pub(super) fn pass_on(&self) -> Next {
        let mut state = lock(&self.state);
        state.in_use -= 1;
        state.grant()
    }

    /// Takes a free slot for the first in the queue, if there are both.
    pub(super) fn grant(&self) -> Next {
        lock(&self.state).grant()
    }

    /// Changes the limit. The caller grants what has become free.
    pub(super) fn set_limit(&self, limit: usize) {
        lock(&self.state).limit = limit;
    }

    pub(super) fn limit(&self) -> usize {
        lock(&self.state).limit
    }

    pub(super) fn stats(&self) -> LimiterStats {
        let state = lock(&self.state);
        let waiting = state.queue.iter();
        LimiterStats {
            limit: state.limit,
            in_use: state.in_use,
            waiting: waiting
                .filter(|waiting| !waiting.job.is_cancelled())
                .count(),
            waiting_max: state.waiting_max,
            granted: state.granted,
            delayed: state.delayed,
        }
    }
}

impl Drop for Shared {
    /// The limit is 0, nobody is left to raise it, and no slot will come back.
    fn drop(&mut self) {
        let state = self.state.get_mut();
        let state = state.unwrap_or_else(PoisonError::into_inner);
        for Waiting { job, executor } in state.queue.drain(..) {
            let _was_queued = job.refused(NEVER_GRANTED).reject();
            drop_quietly(executor);
        }
    }
}

impl State {
    fn grant(&mut self) -> Next {
        let mut cancelled = Vec::new();
        let mut waiting = None;
        while self.in_use < self.limit
            && let Some(first) = self.queue.pop_front()
        {
            if first.job.is_cancelled() {
                cancelled.push(first);
            } else {
                self.in_use += 1;
                self.granted += 1;
                self.delayed += 1;
                waiting = Some(first);
                break;
            }
        }
        Next { waiting, cancelled }
    }

    /// Queues a job. Returns cancelled ones that were swept out.
    fn push(&mut self, waiting: Waiting) -> Vec<Waiting> {
        let mut swept = Vec::new();
        if self.queue.len() >= self.sweep_len {
            // The length doubles before the next sweep: constant cost per push.
            let queue = mem::take(&mut self.queue);
            let (cancelled, alive) = queue
                .into_iter()
                .partition::<VecDeque<_>, _>(|waiting| waiting.job.is_cancelled());
            self.queue = alive;
            swept = cancelled.into();
            self.sweep_len = SWEEP_LEN_MIN.max(self.queue.len() * 2);
        }
        self.queue.push_back(waiting);
        self.waiting_max = self.waiting_max.max(self.queue.len());
        swept
    }
}

const SWEEP_LEN_MIN: usize = 64;

const NEVER_GRANTED: &str = "the limiter was dropped while its limit was 0";

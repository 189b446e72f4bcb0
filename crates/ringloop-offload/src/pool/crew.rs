//! The queue of a pool and the workers that share it.
//!
//! One mutex guards everything. A worker without work puts its bell on the idle stack and waits
//! for it to ring. A submitter pushes its job and takes the topmost bell off the stack in the same
//! critical section, then rings it outside. So a notification is sent only if a worker is idle,
//! each idle worker is claimed by one submitter, and a worker whose keep-alive runs out while it is
//! being claimed sees that its bell is gone and stays.
//!
//! # Invariants
//!
//! - I1: a worker whose bell is on the stack waits for it; one whose bell is not looks at the
//!   queue before it waits or leaves.
//! - I2: while the queue is not empty, a worker exists whose bell is not on the stack. Each push
//!   claims a worker, starts one, or finds all of them busy. With I1, a queued job gets its turn.
//! - I3: threads are started under the lock. "There is no worker" can thus not change between a
//!   failed start and the answer to the submitter, and no job is left to a worker that never came.
//! - I4: a closed crew has an empty queue and an empty stack, and both stay so.

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::ptr::NonNull;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::contain::lock;
use crate::job::Job;

use super::error::PoolError;
use super::stats::PoolStats;

/// What a pool is told at the start. See [`PoolBuilder`](super::PoolBuilder).
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) name: String,
    pub(super) max_threads: usize,
    pub(super) keep_alive: Duration,
    pub(super) stack_size: Option<usize>,
}

/// The workers of one pool and the jobs that wait for them. Shared by the handle and the workers.
pub(super) struct Crew {
    config: Config,
    state: Mutex<State>,
    /// Rung when a worker leaves.
    left: Condvar,
    #[cfg(test)]
    faults: tests::Faults,
}

struct State {
    queue: VecDeque<Job>,
    /// The queue length at which cancelled jobs are swept out.
    sweep_len: usize,
    /// The bells of idle workers, the most recently idle last.
    idle: Vec<Arc<Condvar>>,
    is_closed: bool,
    threads: usize,
    running: usize,
    accepted: u64,
    ended: u64,
    started: u64,
    start_failures: u64,
}

impl Crew {
    pub(super) fn new(config: Config) -> Self {
        Self {
            config,
            state: Mutex::new(State {
                queue: VecDeque::new(),
                sweep_len: SWEEP_LEN_MIN,
                idle: Vec::new(),
                is_closed: false,
                threads: 0,
                running: 0,
                accepted: 0,
                ended: 0,
                started: 0,
                start_failures: 0,
            }),
            left: Condvar::new(),
            #[cfg(test)]
            faults: tests::Faults::default(),
        }
    }

    /// Queues a job and sees to it that a worker takes it, or gives it back with the reason.
    pub(super) fn submit(self: &Arc<Self>, job: Job) -> Result<(), Job> {
        let mut state = lock(&self.state);
        if state.is_closed {
            drop(state);
            return Err(job.refused(PoolError::Closed));
        }
        job.set_home(NonNull::from(&**self).addr());
        let claimed = state.idle.pop();
        if claimed.is_none()
            && state.threads < self.config.max_threads
            && let Err(error) = self.start_worker(&mut state)
            && state.threads == 0
        {
            drop(state);
            return Err(job.refused(PoolError::NoThread(error)));
        }
        state.push(job);
        drop(state);
        if let Some(bell) = claimed {
            bell.notify_one();
        }
        Ok(())
    }

    /// Takes no more jobs, sends the idle workers home, and returns what was queued, to be
    /// rejected by the caller, and how many jobs are running.
    pub(super) fn close(&self) -> (VecDeque<Job>, usize) {
        let mut state = lock(&self.state);
        state.is_closed = true;
        let queued = mem::take(&mut state.queue);
        let idle = mem::take(&mut state.idle);
        let running = state.running;
        drop(state);
        for bell in idle {
            bell.notify_one();
        }
        (queued, running)
    }

    /// Waits until all workers of a closed crew have left, or `timeout` has passed. Returns how
    /// many jobs still run.
    pub(super) fn wait_empty(&self, timeout: Duration) -> usize {
        let state = lock(&self.state);
        let waited = self
            .left
            .wait_timeout_while(state, timeout, |state| state.threads > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.running
    }

    pub(super) fn name(&self) -> &str {
        &self.config.name
    }

    pub(super) fn stats(&self) -> PoolStats {
        let state = lock(&self.state);
        PoolStats {
            threads: state.threads,
            threads_max: self.config.max_threads,
            idle: state.idle.len(),
            running: state.running,
            queued: state.queue.len(),
            accepted: state.accepted,
            ended: state.ended,
            start_failures: state.start_failures,
        }
    }

    /// Starts a worker under the lock: I3.
    fn start_worker(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        let mut builder =
            thread::Builder::new().name(format!("{}-{}", self.config.name, state.started));
        if let Some(stack_size) = self.config.stack_size {
            builder = builder.stack_size(stack_size);
        }
        let crew = Arc::clone(self);
        #[cfg(test)]
        let builder = self.faults.pass(builder);
        match builder.spawn(move || crew.work()) {
            Ok(_detached) => {
                state.threads += 1;
                state.started += 1;
                Ok(())
            }
            Err(error) => {
                state.start_failures += 1;
                Err(error)
            }
        }
    }

    /// The life of a worker.
    fn work(&self) {
        let bell = Arc::new(Condvar::new());
        let mut job = self.first_job(&bell);
        while let Some(next) = job {
            let ran = next.perform().has_run();
            job = self.next_job(&bell, ran);
        }
    }

    fn first_job(&self, bell: &Arc<Condvar>) -> Option<Job> {
        self.wait_job(lock(&self.state), bell)
    }

    fn next_job(&self, bell: &Arc<Condvar>, ran: bool) -> Option<Job> {
        let mut state = lock(&self.state);
        state.running -= 1;
        state.ended += u64::from(ran);
        self.wait_job(state, bell)
    }

    /// Takes the next job, waiting for it as long as the keep-alive. `None`: the worker has left.
    fn wait_job(&self, mut state: MutexGuard<'_, State>, bell: &Arc<Condvar>) -> Option<Job> {
        loop {
            if let Some(job) = state.queue.pop_front() {
                state.running += 1;
                return Some(job);
            }
            if state.is_closed {
                break;
            }
            state.idle.push(Arc::clone(bell));
            self.note_change();
            let waited = bell.wait_timeout(state, self.config.keep_alive);
            let timeout;
            (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            // A bell that is still on the stack was rung by nobody: the time is up, or the wait
            // ended for no reason.
            if state.unlist(bell) && timeout.timed_out() {
                break;
            }
        }
        state.threads -= 1;
        self.left.notify_all();
        None
    }

    /// Lets tests wait for workers that become idle, too.
    fn note_change(&self) {
        if cfg!(test) {
            self.left.notify_all();
        }
    }
}

impl State {
    fn push(&mut self, job: Job) {
        if self.queue.len() >= self.sweep_len {
            // What a cancelled job held is gone already, so no foreign code runs here. The length
            // doubles before the next sweep: constant cost per push.
            self.queue.retain(|job| !job.is_cancelled());
            self.sweep_len = SWEEP_LEN_MIN.max(self.queue.len() * 2);
        }
        self.queue.push_back(job);
        self.accepted += 1;
    }

    /// Takes a bell off the idle stack and returns whether it was there.
    fn unlist(&mut self, bell: &Arc<Condvar>) -> bool {
        let index = self.idle.iter().position(|idle| Arc::ptr_eq(idle, bell));
        if let Some(index) = index {
            self.idle.remove(index);
        }
        index.is_some()
    }
}

const SWEEP_LEN_MIN: usize = 64;

#[cfg(test)]
mod tests;

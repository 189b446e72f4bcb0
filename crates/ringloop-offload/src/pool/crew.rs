//! The threads of a pool: how they start, what they run, and how they leave.
//!
//! Who waits for whom is the [roster](super::roster)'s affair, with its invariants; what became of
//! the jobs is in the [ledger](super::ledger), under the same lock. No lock is held while a job or
//! a hook runs.
//!
//! The clock is read twice per job: when it is queued and when it has been run. The end of one job
//! is the start of the next, unless the worker waited in between.

pub(super) mod watch;

use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::ptr::{self, NonNull};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use crate::clock::Tick;
use crate::job::Job;
use crate::loom::MutexGuard;

use super::bell::Bell;
use super::config::Config;
use super::error::PoolError;
use super::ledger::{Desk, Ledger, Queued, thread_name};
use super::report::RunningJob;
use super::roster::{Roster, State, Summons, Taken, Worker};
use super::stats::PoolStats;

/// The workers of one pool and the jobs that wait for them. Shared by the handles and the workers.
pub(super) struct Crew {
    config: Config,
    roster: Roster<Queued, Ledger>,
    /// Wakes the thread that watches.
    watch_bell: Bell,
    #[cfg(test)]
    faults: tests::Faults,
}

type Books<'a> = MutexGuard<'a, State<Queued, Ledger>>;

impl Crew {
    pub(super) fn new(config: Config) -> Self {
        Self {
            roster: Roster::new(config.limits.clone(), Ledger::default()),
            watch_bell: Bell::new(),
            config,
            #[cfg(test)]
            faults: tests::Faults::default(),
        }
    }

    /// Queues a job and sees to it that a worker takes it, or gives it back with the reason.
    pub(super) fn submit(self: &Arc<Self>, job: Job) -> Result<(), Job> {
        job.set_home(NonNull::from(&**self).addr());
        let since = self.roster.clock.now();
        let queued = Queued { job, since };
        let pushed = self.roster.push(queued, |number| self.start(number));
        if let Err((queued, error)) = pushed {
            self.roster.lock().book.rejected += 1;
            queued.job.leave_home();
            return Err(queued.job.refused(error));
        }
        self.look_after();
        Ok(())
    }

    /// Takes no more jobs, sends the idle workers home, rejects what was queued, and returns how
    /// many jobs that were, and how many are running.
    pub(super) fn close(&self) -> (usize, usize) {
        let state = self.roster.lock();
        let running = state.book.running();
        let queued = self.roster.close(state);
        self.watch_bell.ring();
        let dropped = reject_all(queued);
        self.roster.lock().book.rejected += dropped as u64;
        (dropped, running)
    }

    /// Waits until all workers of a closed crew have left, the calling one excepted, or `timeout`
    /// has passed. Returns the jobs that still run.
    pub(super) fn wait_empty(&self, timeout: Duration) -> Vec<RunningJob> {
        let own = usize::from(self.is_own_thread());
        let start = self.roster.clock.now();
        let mut state = self.roster.lock();
        while state.threads() > own {
            let spent = self.roster.clock.now().since(start);
            if spent >= timeout {
                break;
            }
            let waited = self.roster.left.wait_timeout(state, timeout - spent);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.book.running() == 0 {
            return Vec::new();
        }
        state
            .book
            .running_jobs(self.name(), self.roster.clock.now())
    }

    pub(super) fn name(&self) -> &str {
        &self.config.name
    }

    pub(super) fn stats(&self) -> PoolStats {
        let state = self.roster.lock();
        let count = self.roster.headcount(&state);
        let running = state.book.running();
        let rejected = state.book.rejected;
        let jobs = state.book.counts();
        drop(state);
        PoolStats {
            threads: count.threads,
            threads_max: self.config.limits.threads_max,
            idle: count.idle,
            running,
            queued: count.queued,
            accepted: count.accepted,
            ended: jobs.completed + jobs.panicked + jobs.abandoned,
            completed: jobs.completed,
            panicked: jobs.panicked,
            abandoned: jobs.abandoned,
            rejected,
            start_failures: count.start_failures,
            wait_times: jobs.wait_times,
            run_times: jobs.run_times,
        }
    }

    /// Starts a worker. It counts as one already.
    fn start(self: &Arc<Self>, number: u64) -> io::Result<()> {
        let mut builder = thread::Builder::new().name(thread_name(self.name(), number));
        if let Some(stack_size) = self.config.stack_size {
            builder = builder.stack_size(stack_size);
        }
        let crew = Arc::clone(self);
        #[cfg(test)]
        let builder = self.faults.pass(builder);
        let _detached = builder.spawn(move || crew.work(number))?;
        Ok(())
    }

    /// The life of a worker.
    fn work(self: &Arc<Self>, number: u64) {
        CREW_OF_THREAD.set(self.address());
        let mut state = self.enter();
        let desk = state.book.open_desk(number);
        let mut worker = Worker::new();
        let mut free_since = self.roster.clock.now();
        while let Some((queued, started)) = self.next(state, &desk, &mut worker, free_since) {
            let performed = queued.job.perform();
            free_since = self.roster.clock.now();
            desk.count(
                performed,
                started.since(queued.since),
                free_since.since(started),
            );
            state = self.end(&desk);
        }
        if let Some(hook) = &self.config.on_thread_stop {
            hook.call();
        }
        self.roster.lock().book.close_desk(&desk);
        self.roster.gone();
    }

    /// Reports for work, after the start hook. While that runs, the worker counts as busy.
    fn enter(self: &Arc<Self>) -> Books<'_> {
        let Some(hook) = &self.config.on_thread_start else {
            let (state, _nobody) = self.roster.arrive(false);
            return state;
        };
        let (state, summons) = self.roster.arrive(true);
        drop(state);
        self.fulfil(summons);
        hook.call();
        self.roster.lock()
    }

    /// Takes the next job, waiting for it as long as the worker may. Returns when it starts, too.
    fn next(
        self: &Arc<Self>,
        state: Books<'_>,
        desk: &Desk,
        worker: &mut Worker,
        free_since: Tick,
    ) -> Option<(Queued, Tick)> {
        let (mut state, taken) = self.roster.take(state, worker);
        let Taken { item, has_waited } = taken?;
        let mut now = free_since;
        if has_waited {
            now = self.roster.clock.now();
            worker.note_idle(now.since(free_since));
        }
        let is_watched = self.config.on_stall.is_some();
        state.book.start(desk, &item.job, now, is_watched);
        let summons = self.roster.follow_up(&mut state);
        drop(state);
        self.fulfil(summons);
        self.look_after();
        Some((item, now))
    }

    /// Takes a job that has been run off the books.
    fn end(&self, desk: &Desk) -> Books<'_> {
        let mut state = self.roster.lock();
        if let Some(watched) = state.book.end(desk) {
            // What is left of a job may be the user's to drop.
            drop(state);
            drop(watched);
            state = self.roster.lock();
        }
        state
    }

    fn fulfil(self: &Arc<Self>, summons: Summons) {
        self.roster.fulfil(summons, |number| self.start(number));
    }

    fn is_own_thread(&self) -> bool {
        CREW_OF_THREAD.get() == self.address()
    }

    fn address(&self) -> usize {
        ptr::from_ref(self).addr()
    }
}

/// Tells the waiters of `queued` that the pool is closed. Returns how many there were.
fn reject_all(queued: VecDeque<Queued>) -> usize {
    let jobs = queued.into_iter().map(|queued| queued.job);
    jobs.map(|job| job.refused(PoolError::Closed).reject())
        .filter(|was_queued| *was_queued)
        .count()
}

thread_local! {
    /// The address of the crew whose worker this thread is, 0 if it is none.
    static CREW_OF_THREAD: Cell<usize> = const { Cell::new(0) };
}

#[cfg(test)]
mod tests;

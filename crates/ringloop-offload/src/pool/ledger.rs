//! What a pool knows about its jobs: which ones run, and what became of the others.
//!
//! What runs is kept under the lock of the roster, where it changes. What became of the jobs is
//! counted by each worker at a [`Desk`] of its own, so that workers do not wait for each other to
//! count; a snapshot adds them up.

use std::panic::Location;
use std::sync::{Arc, Mutex};

use crate::clock::Tick;
use crate::contain::lock;
use crate::job::Job;

use super::histogram::Histogram;
use super::report::RunningJob;
use super::roster::Item;

/// A job in the queue of a pool.
pub(super) struct Queued {
    pub(super) job: Job,
    /// When it was queued.
    pub(super) since: Tick,
}

impl Item for Queued {
    fn is_void(&self) -> bool {
        self.job.is_cancelled()
    }
}

/// The books of a pool, kept under the lock of its roster.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// What the workers run, in no order.
    running: Vec<Running>,
    desks: Vec<Arc<Desk>>,
    /// What the workers that have left had counted.
    past: Counts,
    pub(super) rejected: u64,
}

/// A job that a worker runs.
#[derive(Debug)]
struct Running {
    /// The number of the worker.
    worker: u64,
    since: Tick,
    location: &'static Location<'static>,
}

impl Ledger {
    /// Gives a worker a desk.
    pub(super) fn open_desk(&mut self, worker: u64) -> Arc<Desk> {
        let desk = Arc::new(Desk {
            worker,
            counts: Mutex::default(),
        });
        self.desks.push(Arc::clone(&desk));
        desk
    }

    pub(super) fn close_desk(&mut self, desk: &Arc<Desk>) {
        self.desks.retain(|open| !Arc::ptr_eq(open, desk));
        self.past.add(&lock(&desk.counts));
    }

    /// Notes that a worker begins to run `job`.
    pub(super) fn start(&mut self, desk: &Desk, job: &Job, now: Tick) {
        self.running.push(Running {
            worker: desk.worker,
            since: now,
            location: job.location(),
        });
    }

    /// Notes that a worker does not run its job any more.
    pub(super) fn end(&mut self, desk: &Desk) {
        let mut running = self.running.iter();
        if let Some(index) = running.position(|job| job.worker == desk.worker) {
            self.running.swap_remove(index);
        }
    }

    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    /// Describes the jobs that run, the oldest first.
    pub(super) fn running_jobs(&self, pool: &str, now: Tick) -> Vec<RunningJob> {
        let mut running: Vec<_> = self.running.iter().collect();
        running.sort_by_key(|job| job.since);
        let describe = |job: &Running| RunningJob {
            name: None,
            location: job.location,
            thread: thread_name(pool, job.worker),
            running_for: now.since(job.since),
        };
        running.into_iter().map(describe).collect()
    }

    /// Adds up what all workers have counted.
    pub(super) fn counts(&self) -> Counts {
        let mut sum = self.past.clone();
        for desk in &self.desks {
            sum.add(&lock(&desk.counts));
        }
        sum
    }
}

/// Where one worker counts.
#[derive(Debug)]
pub(super) struct Desk {
    worker: u64,
    /// Locked by its worker, and now and then for a snapshot.
    counts: Mutex<Counts>,
}

/// What became of jobs.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) completed: u64,
    pub(super) panicked: u64,
    pub(super) abandoned: u64,
    pub(super) wait_times: Histogram,
    pub(super) run_times: Histogram,
}

impl Desk {
    /// Counts a job that was queued, started and ended at these times.
    pub(super) fn count(&self, queued: Tick, started: Tick, ended: Tick, has_run: bool) {
        if !has_run {
            return;
        }
        let mut counts = lock(&self.counts);
        counts.completed += 1;
        counts.wait_times.record(started.since(queued));
        counts.run_times.record(ended.since(started));
    }
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.completed += other.completed;
        self.panicked += other.panicked;
        self.abandoned += other.abandoned;
        self.wait_times.add(&other.wait_times);
        self.run_times.add(&other.run_times);
    }
}

/// What the worker's thread is called.
pub(super) fn thread_name(pool: &str, worker: u64) -> String {
    format!("{pool}-{worker}")
}

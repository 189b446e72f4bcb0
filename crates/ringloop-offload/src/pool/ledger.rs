//! What a pool knows about its jobs: which ones run, and what became of the others.
//!
//! What runs is kept under the lock of the roster, where it changes. What became of the jobs is
//! counted by each worker at a [`Desk`] of its own, so that workers do not wait for each other to
//! count; a snapshot adds them up.

use std::panic::Location;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::clock::Tick;
use crate::contain::lock;
use crate::job::{Job, Name, Performed, Watch};

use super::crew::watch::Watching;
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
    pub(super) watching: Watching,
}

/// A job that a worker runs.
#[derive(Debug)]
struct Running {
    /// The number of the worker.
    worker: u64,
    since: Tick,
    name: Option<Name>,
    location: &'static Location<'static>,
    /// In a pool that is watched: the job itself.
    watch: Option<Watch>,
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
    pub(super) fn start(&mut self, desk: &Desk, job: &Job, now: Tick, is_watched: bool) {
        self.running.push(Running {
            worker: desk.worker,
            since: now,
            name: job.tag().name().cloned(),
            location: job.location(),
            watch: is_watched.then(|| job.watch()),
        });
    }

    /// Notes that a worker does not run its job any more. What is returned is to be dropped
    /// without the lock.
    #[must_use]
    pub(super) fn end(&mut self, desk: &Desk) -> Option<Watch> {
        let mut running = self.running.iter();
        let index = running.position(|job| job.worker == desk.worker)?;
        self.running.swap_remove(index).watch
    }

    /// Whether jobs run and all of them are watched and as `is_so` says.
    pub(super) fn all_running(&self, is_so: impl Fn(&Watch) -> bool) -> bool {
        let is_so = |job: &Running| job.watch.as_ref().is_some_and(&is_so);
        !self.running.is_empty() && self.running.iter().all(is_so)
    }

    pub(super) fn running(&self) -> usize {
        self.running.len()
    }

    /// Describes the jobs that run, the oldest first.
    pub(super) fn running_jobs(&self, pool: &str, now: Tick) -> Vec<RunningJob> {
        let mut running: Vec<_> = self.running.iter().collect();
        running.sort_by_key(|job| job.since);
        let describe = |job: &Running| RunningJob {
            name: job.name.as_ref().map(|name| name.as_str().to_owned()),
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
    /// Counts a job that has waited and has run for so long.
    pub(super) fn count(&self, performed: Performed, waited: Duration, ran: Duration) {
        let Performed::Ran {
            abandoned,
            panicked,
        } = performed
        else {
            return;
        };
        let mut counts = lock(&self.counts);
        let counter = match (panicked, abandoned) {
            (true, _) => &mut counts.panicked,
            (false, true) => &mut counts.abandoned,
            (false, false) => &mut counts.completed,
        };
        *counter += 1;
        counts.wait_times.record(waited);
        counts.run_times.record(ran);
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

#[cfg(test)]
mod tests;

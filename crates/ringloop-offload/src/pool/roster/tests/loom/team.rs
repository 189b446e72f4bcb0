//! A crew whose threads are those of a model.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use ::loom::thread::{self, JoinHandle};

use crate::loom::{Condvar, Mutex, lock};
use crate::pool::error::PoolError;
use crate::pool::lookout::Lookout;
use crate::pool::roster::{Item, Limits, Roster, Summons, Worker};

/// What a worker of the model runs.
#[derive(Clone, Copy)]
pub(super) struct Task {
    number: usize,
    /// Blocks its worker until this many tasks have been run.
    waits_for: usize,
}

impl Item for Task {
    fn is_void(&self) -> bool {
        false
    }
}

/// A crew whose threads are loom's.
pub(super) struct Team {
    pub(super) roster: Roster<Task, ()>,
    runs: Mutex<Vec<usize>>,
    has_run: Condvar,
    /// How many starts fail before one does not. Not part of the model.
    pub(super) start_failures: AtomicUsize,
    pub(super) is_eager: AtomicBool,
    /// Not part of the model.
    handles: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Team {
    pub(super) fn new(threads_max: usize, keep_alive: Duration) -> Arc<Self> {
        let limits = Limits {
            threads_max,
            threads_min: 0,
            queue_bound: usize::MAX,
            keep_alive,
        };
        Arc::new(Self {
            roster: Roster::new(limits, ()),
            runs: Mutex::new(Vec::new()),
            has_run: Condvar::new(),
            start_failures: AtomicUsize::new(0),
            is_eager: AtomicBool::new(false),
            handles: std::sync::Mutex::default(),
        })
    }

    pub(super) fn push(self: &Arc<Self>, number: usize, waits_for: usize) -> Result<(), PoolError> {
        let task = Task { number, waits_for };
        let pushed = self.roster.push(task, |_number| self.start());
        pushed.map_err(|(_task, error)| error)
    }

    fn start(self: &Arc<Self>) -> io::Result<()> {
        let failures = self.start_failures.load(Ordering::Relaxed);
        if failures > 0 {
            self.start_failures.store(failures - 1, Ordering::Relaxed);
            return Err(io::Error::from(io::ErrorKind::WouldBlock));
        }
        let team = Arc::clone(self);
        let handle = thread::spawn(move || team.work());
        self.handles.lock().unwrap().push(handle);
        Ok(())
    }

    /// As a worker of the crew.
    fn work(self: &Arc<Self>) {
        let (mut state, summons) = self.roster.arrive(false);
        assert!(matches!(summons, Summons::Nobody));
        let mut worker = Worker::new();
        if self.is_eager.load(Ordering::Relaxed) {
            worker.lookout = Lookout::eager();
        }
        loop {
            let (mut taken_under, taken) = self.roster.take(state, &mut worker);
            let Some(taken) = taken else {
                break;
            };
            let summons = self.roster.follow_up(&mut taken_under);
            drop(taken_under);
            self.roster.fulfil(summons, |_number| self.start());
            self.run(taken.item);
            state = self.roster.lock();
        }
        self.roster.gone();
    }

    fn run(&self, task: Task) {
        self.wait_runs(task.waits_for);
        lock(&self.runs).push(task.number);
        self.has_run.notify_all();
    }

    /// Waits until so many tasks have been run. loom finds a deadlock if that never happens.
    pub(super) fn wait_runs(&self, count: usize) {
        let mut runs = lock(&self.runs);
        while runs.len() < count {
            runs = self.has_run.wait(runs).unwrap();
        }
    }

    /// Waits for all threads to leave. Returns whether the queue is empty.
    pub(super) fn end(&self) -> bool {
        loop {
            let handle = self.handles.lock().unwrap().pop();
            let Some(handle) = handle else {
                break;
            };
            handle.join().unwrap();
        }
        let state = self.roster.lock();
        assert_eq!(state.threads(), 0);
        assert!(!state.is_coming && !state.is_looking && state.idle.is_empty());
        self.roster.headcount(&state).queued == 0
    }

    /// Closes the roster, in which nothing waits any more.
    #[track_caller]
    pub(super) fn close(&self) {
        assert!(self.roster.close(self.roster.lock()).is_empty());
    }

    /// Waits for all threads to leave. Each of the first `count` items was run once, and no other.
    #[track_caller]
    pub(super) fn end_after(&self, count: usize) {
        assert!(self.end());
        assert_eq!(self.sorted_runs(), (0..count).collect::<Vec<_>>());
    }

    pub(super) fn sorted_runs(&self) -> Vec<usize> {
        let mut runs = lock(&self.runs).clone();
        runs.sort_unstable();
        runs
    }
}

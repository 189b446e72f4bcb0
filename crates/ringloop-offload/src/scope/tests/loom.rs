//! Helpers, joiners and the caller in every order: each closure runs once and is over at the end.
//!
//! What a closure captures and returns are clones of one `Arc`, which loom does not see. What it
//! writes is relaxed, so that it is there at the end of the scope only if the scope orders it.

use std::sync::Arc;

use ::loom::model::Builder;
use ::loom::sync::atomic::{AtomicUsize, Ordering};
use ::loom::sync::mpsc;
use ::loom::thread::{self, JoinHandle};

use crate::executor::Executor;
use crate::job::Job;
use crate::scope::scope;

/// Starts a thread for each job, as long as there may be more.
struct Threads {
    /// Not part of the model.
    left: std::sync::Mutex<usize>,
    handles: std::sync::Mutex<Vec<JoinHandle<()>>>,
    does: fn(Job),
}

impl Threads {
    fn new(threads_max: usize, does: fn(Job)) -> Self {
        Self {
            left: std::sync::Mutex::new(threads_max),
            handles: std::sync::Mutex::default(),
            does,
        }
    }

    /// Waits for the helpers that are on their way still.
    fn join(self) {
        for handle in self.handles.into_inner().unwrap() {
            handle.join().unwrap();
        }
    }
}

impl Executor for Threads {
    fn execute(&self, job: Job) -> Result<(), Job> {
        let mut left = self.left.lock().unwrap();
        let Some(next) = left.checked_sub(1) else {
            return Err(job);
        };
        *left = next;
        drop(left);
        let does = self.does;
        let handle = thread::spawn(move || does(job));
        self.handles.lock().unwrap().push(handle);
        Ok(())
    }
}

fn model(f: impl Fn() + Send + Sync + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.check(f);
}

fn check(threads_max: usize, does: fn(Job), closures: usize, is_joined: bool) {
    model(move || {
        let executor = Threads::new(threads_max, does);
        let traces = Arc::new(());
        let runs: Vec<AtomicUsize> = (0..closures).map(|_| AtomicUsize::new(0)).collect();
        scope(&executor, |s| {
            for runs in &runs {
                let captured = Arc::clone(&traces);
                let job = s.spawn(move || {
                    runs.store(runs.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                    captured
                });
                if is_joined {
                    drop(job.join().unwrap());
                    assert_eq!(runs.load(Ordering::Relaxed), 1);
                }
            }
        });
        assert_eq!(Arc::strong_count(&traces), 1, "something is left");
        for runs in &runs {
            assert_eq!(runs.load(Ordering::Relaxed), 1);
        }
        executor.join();
    });
}

#[test]
fn a_helper_races_with_the_caller() {
    check(1, Job::run, 1, false);
    check(1, Job::run, 2, false);
}

#[test]
fn two_helpers_race_with_the_caller() {
    check(2, Job::run, 2, false);
}

#[test]
fn a_helper_races_with_a_joiner() {
    check(1, Job::run, 1, true);
    check(2, Job::run, 2, true);
}

#[test]
fn a_helper_is_lost_meanwhile() {
    check(2, drop, 2, false);
}

/// A closure that a helper runs adds one while the caller may be asleep.
#[test]
fn a_closure_spawns_another_one() {
    model(|| {
        let executor = Threads::new(1, Job::run);
        let runs = AtomicUsize::new(0);
        scope(&executor, |s| {
            let runs = &runs;
            s.spawn(move || {
                s.spawn(move || runs.fetch_add(1, Ordering::Relaxed));
            });
        });
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        executor.join();
    });
}

/// The caller has to come back for it, because no other thread does.
#[test]
fn a_closure_waits_for_one_that_it_adds() {
    model(|| {
        let executor = Threads::new(1, Job::run);
        let caller = thread::current().id();
        scope(&executor, |s| {
            s.spawn(move || {
                let (sender, receiver) = mpsc::channel();
                let other = s.spawn(move || sender.send(()).unwrap());
                if thread::current().id() == caller {
                    // On the caller's own thread nobody else would come.
                    other.join().unwrap();
                }
                receiver.recv().unwrap();
            });
        });
        executor.join();
    });
}

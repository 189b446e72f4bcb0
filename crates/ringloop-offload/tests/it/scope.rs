//! Closures that borrow: they run once and end before the scope does, whatever the executor does
//! and whatever is forgotten.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod endings;
mod many;
mod panics;
mod waits;

use std::mem;
use std::panic::panic_any;
use std::sync::{Mutex, mpsc};
use std::thread;

use ringloop_offload::{CpuPool, Executor, Interrupt, Job, offload_on, scope};

use crate::support::{Shelf, block_on};

#[derive(Clone, Copy, Debug, PartialEq)]
enum ExecutorDoes {
    Run,
    RunInline,
    RunTwoPerCall,
    Drop,
    Refuse,
    Keep,
    Panic,
    PanicKeeping,
}

/// An executor of each kind.
struct Any {
    does: ExecutorDoes,
    kept: Mutex<Vec<Job>>,
}

impl Any {
    fn new(does: ExecutorDoes) -> Self {
        Self {
            does,
            kept: Mutex::default(),
        }
    }
}

impl Executor for Any {
    fn execute(&self, job: Job) -> Result<(), Job> {
        match self.does {
            ExecutorDoes::Run => drop(thread::spawn(move || job.run())),
            ExecutorDoes::RunInline => job.run(),
            ExecutorDoes::RunTwoPerCall => {
                let mut kept = self.kept.lock().unwrap();
                kept.push(job);
                if kept.len() == 2 {
                    let due = mem::take(&mut *kept);
                    drop(kept);
                    due.into_iter().for_each(Job::run);
                }
            }
            ExecutorDoes::Drop => drop(job),
            ExecutorDoes::Refuse => return Err(job.refused("never")),
            ExecutorDoes::Keep => self.kept.lock().unwrap().push(job),
            ExecutorDoes::Panic => panic_any("the executor"),
            ExecutorDoes::PanicKeeping => {
                self.kept.lock().unwrap().push(job);
                panic_any("the executor");
            }
        }
        Ok(())
    }
}

const EXECUTORS: [ExecutorDoes; 8] = [
    ExecutorDoes::Run,
    ExecutorDoes::RunInline,
    ExecutorDoes::RunTwoPerCall,
    ExecutorDoes::Drop,
    ExecutorDoes::Refuse,
    ExecutorDoes::Keep,
    ExecutorDoes::Panic,
    ExecutorDoes::PanicKeeping,
];

#[test]
fn closures_write_to_what_they_borrow() {
    let pool = CpuPool::with_threads(2);
    let mut numbers = vec![0; 1000];
    scope(&pool, |s| {
        for (index, number) in numbers.iter_mut().enumerate() {
            s.spawn(move || *number = index);
        }
    });
    assert!(numbers.iter().enumerate().all(|(index, n)| index == *n));
}

#[test]
fn without_an_executor_the_order_is_that_of_spawning() {
    for does in [
        ExecutorDoes::Refuse,
        ExecutorDoes::Keep,
        ExecutorDoes::RunInline,
    ] {
        let order = Mutex::new(Vec::new());
        scope(&Any::new(does), |s| {
            for number in 0..100 {
                let order = &order;
                s.spawn(move || order.lock().unwrap().push(number));
            }
        });
        assert_eq!(order.into_inner().unwrap(), (0..100).collect::<Vec<_>>());
    }
}

#[test]
fn the_interrupt_of_the_surrounding_job_is_seen_in_the_scope() {
    for does in [
        ExecutorDoes::Run,
        ExecutorDoes::RunInline,
        ExecutorDoes::Refuse,
    ] {
        let shelf = Shelf::default();
        let (asked, is_asked) = mpsc::channel::<()>();
        let (started, has_started) = mpsc::channel();
        let outer = offload_on(&shelf, move || {
            let (tell, told) = mpsc::channel();
            scope(&Any::new(does), |s| {
                started.send(()).unwrap();
                is_asked.recv().unwrap_err();
                let job = s.spawn(move || tell.send(Interrupt::current().is_requested()));
                // Elsewhere if there is an elsewhere, and here only where there is not.
                if does == ExecutorDoes::Refuse {
                    job.join().unwrap().unwrap();
                }
                told.recv()
            })
        });
        let job = shelf.pop();
        let worker = thread::spawn(move || job.run());
        has_started.recv().unwrap();
        assert!(!outer.cancel(), "it runs");
        drop(asked);
        worker.join().unwrap();
        assert_eq!(block_on(outer).unwrap(), Ok(true), "{does:?}");
        assert!(!Interrupt::current().is_requested());
    }
}

#[test]
fn an_empty_scope_asks_the_executor_for_nothing() {
    let executor = Any::new(ExecutorDoes::Keep);
    assert_eq!(scope(&executor, |_s| 3), 3);
    assert!(executor.kept.into_inner().unwrap().is_empty());
}

#[test]
fn one_helper_is_asked_for_at_a_time() {
    let executor = Any::new(ExecutorDoes::Keep);
    scope(&executor, |s| {
        for _ in 0..100 {
            s.spawn(|| ());
        }
        assert_eq!(executor.kept.lock().unwrap().len(), 1);
    });
}

#[test]
fn a_scope_outlives_the_pool_it_was_given() {
    let pool = CpuPool::with_threads(1);
    let handle = pool.handle();
    drop(pool);
    let mut value = 1;
    scope(&handle, |s| {
        s.spawn(|| value += 1);
    });
    assert_eq!(value, 2);
}

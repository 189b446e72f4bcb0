//! Who waits for whom in a scope: it ends where every thread is busy, or is its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;

use ringloop_offload::{CpuPool, ThreadPool, offload_on, scope};

use crate::support::{Busy, Shelf, block_on};

use super::{Any, ExecutorDoes};

#[test]
fn it_ends_on_a_pool_whose_only_thread_calls_it() {
    let pool = CpuPool::with_threads(1);
    let handle = pool.handle();
    let sum = offload_on(&pool, move || {
        let numbers: Vec<usize> = (0..100).collect();
        let sum = AtomicUsize::new(0);
        scope(&handle, |s| {
            for number in &numbers {
                let sum = &sum;
                s.spawn(move || sum.fetch_add(*number, Ordering::Relaxed));
            }
        });
        sum.into_inner()
    });
    assert_eq!(block_on(sum).unwrap(), 4950);
}

#[test]
fn it_ends_on_a_pool_whose_threads_are_all_busy() {
    let pool = ThreadPool::fixed(1);
    let busy = Busy::start(&pool, || ());
    let mut value = 0;
    scope(&pool, |s| {
        s.spawn(|| value = 7);
    });
    assert_eq!(value, 7);
    busy.finish().unwrap();
}

#[test]
fn what_is_queued_runs_beside_a_closure_that_blocks() {
    // All of them have to run at the same time.
    let pool = ThreadPool::builder().max_threads(16).build();
    let barrier = Barrier::new(8);
    scope(&pool, |s| {
        for _ in 0..8 {
            s.spawn(|| barrier.wait());
        }
    });
}

#[test]
fn a_join_waits_for_a_closure_that_runs_elsewhere() {
    let pool = ThreadPool::fixed(1);
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    scope(&pool, |s| {
        let job = s.spawn(move || {
            started.send(thread::current().id()).unwrap();
            released.recv().unwrap_err();
            5
        });
        assert_ne!(has_started.recv().unwrap(), thread::current().id());
        assert!(!job.is_finished());
        // Not run by the join of another one.
        let other = s.spawn(|| thread::current().id());
        s.spawn(move || drop(release));
        assert_eq!(other.join().unwrap(), thread::current().id());
    });
}

#[test]
fn a_join_runs_what_it_waits_for_and_nothing_else() {
    let ran = AtomicUsize::new(0);
    scope(&Any::new(ExecutorDoes::Keep), |s| {
        s.spawn(|| ran.fetch_add(1, Ordering::Relaxed));
        let wanted = s.spawn(|| 6);
        assert_eq!(wanted.join().unwrap(), 6);
        assert_eq!(ran.load(Ordering::Relaxed), 0);
    });
    assert_eq!(ran.into_inner(), 1);
}

#[test]
fn a_closure_on_the_only_thread_may_wait_for_a_job_of_that_pool() {
    let pool = CpuPool::with_threads(1);
    for is_in_a_job in [false, true] {
        let (started, has_started) = mpsc::channel();
        let handle = pool.handle();
        let body = move || {
            scope(&handle.clone(), |s| {
                let job = s.spawn(move || {
                    started.send(()).unwrap();
                    offload_on(&handle, || 8).wait().unwrap()
                });
                // So that the pool's thread runs it.
                has_started.recv().unwrap();
                job.join().unwrap()
            })
        };
        let result = if is_in_a_job {
            let shelf = Shelf::default();
            let outer = offload_on(&shelf, body);
            shelf.pop().run();
            outer.wait().unwrap()
        } else {
            body()
        };
        assert_eq!(result, 8);
    }
}

/// The pool has one thread, and that one is busy: the caller of the scope, who sleeps, does it.
#[test]
fn who_waits_at_the_end_wakes_up_for_a_closure_that_is_added() {
    let pool = ThreadPool::fixed(1);
    for _ in 0..20 {
        let (started, has_started) = mpsc::channel();
        let (stays, body_ends) = mpsc::channel::<()>();
        let mut has_run = None;
        scope(&pool, |s| {
            let has_run = &mut has_run;
            s.spawn(move || {
                started.send(()).unwrap();
                body_ends.recv().unwrap_err();
                // Most likely, the caller sleeps then. If not, it finds the closure all the same.
                (0..100).for_each(|_| thread::yield_now());
                let (runs, ran) = mpsc::channel();
                s.spawn(move || runs.send(()));
                *has_run = Some(ran.recv_timeout(Duration::from_secs(5)));
            });
            has_started.recv().unwrap();
            drop(stays);
        });
        assert_eq!(has_run, Some(Ok(())));
    }
}

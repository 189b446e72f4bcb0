//! Threads that block for a result, among them those of the pool itself.

use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use ringloop_offload::{
    Executor, Interrupt, Job, Offload, OffloadError, ThreadPool, from_fn, offload_on,
};

use crate::support::{Busy, Shelf};

#[test]
fn a_plain_thread_waits_for_the_result() {
    let pool = ThreadPool::fixed(1);
    assert_eq!(offload_on(&pool, || 7).wait().unwrap(), 7);
    let error = offload_on(&pool, || panic!("no such table"))
        .wait()
        .unwrap_err();
    assert_eq!(error.panic_message(), Some("no such table"));
    let shelf = Shelf::default();
    let offload = offload_on(&shelf, || ());
    drop(shelf.pop());
    assert!(offload.wait().unwrap_err().is_rejected());
}

#[test]
fn a_result_that_is_there_is_not_waited_for() {
    let shelf = Shelf::default();
    let offload = offload_on(&shelf, || 7);
    shelf.pop().run();
    assert_eq!(offload.wait().unwrap(), 7);
}

#[test]
fn a_plain_thread_sleeps_until_the_job_ends() {
    let pool = ThreadPool::fixed(1);
    let Busy { offload, release } = Busy::start(&pool, || 7);
    let waiter = thread::spawn(move || offload.wait());
    drop(release);
    assert_eq!(waiter.join().unwrap().unwrap(), 7);
}

/// Offloads to `pool` from within a job of it, `depth` deep, and returns the threads of all.
fn nest(pool: &Arc<ThreadPool>, depth: usize) -> Result<Vec<ThreadId>, OffloadError> {
    let mut threads = vec![thread::current().id()];
    if depth > 0 {
        let inner = Arc::clone(pool);
        threads.extend(offload_on(pool, move || nest(&inner, depth - 1)).wait()??);
    }
    Ok(threads)
}

#[test]
fn nested_jobs_run_on_a_pool_of_one_thread() {
    let pool = Arc::new(ThreadPool::fixed(1));
    let inner = Arc::clone(&pool);
    let threads = offload_on(&pool, move || nest(&inner, 8)).wait().unwrap();
    let threads = threads.unwrap();
    assert_eq!(threads.len(), 9);
    assert!(threads.iter().all(|thread| *thread == threads[0]));
    assert_ne!(threads[0], thread::current().id());
}

#[test]
fn a_job_run_by_its_waiter_runs_once() {
    let pool = Arc::new(ThreadPool::fixed(1));
    let runs = Arc::new(AtomicUsize::new(0));
    let (inner, count) = (Arc::clone(&pool), Arc::clone(&runs));
    let outer = offload_on(&pool, move || {
        let offload = offload_on(&inner, move || {
            count.fetch_add(1, Ordering::Relaxed);
            panic!("it comes home all the same");
        });
        offload.wait().unwrap_err().is_panic()
    });
    assert!(outer.wait().unwrap());
    // The worker has come across the empty job before this one.
    offload_on(&pool, || ()).wait().unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 1);
}

#[test]
fn a_job_run_by_its_waiter_has_its_own_interrupt() {
    let pool = Arc::new(ThreadPool::fixed(1));
    let inner = Arc::clone(&pool);
    let busy = Busy::start(&pool, move || {
        let before = Interrupt::current().is_requested();
        let during = offload_on(&inner, || Interrupt::current().is_requested()).wait();
        (before, during.unwrap(), Interrupt::current().is_requested())
    });
    busy.offload.cancel();
    assert_eq!(busy.finish().unwrap(), (true, false, true));
}

#[test]
fn a_job_of_another_executor_runs_where_it_belongs() {
    /// All jobs on one thread, as a library with thread-local state wants it.
    struct Dedicated(mpsc::Sender<Job>);

    impl Executor for Dedicated {
        fn execute(&self, job: Job) -> Result<(), Job> {
            self.0.send(job).map_err(|unsent| unsent.0)
        }
    }

    let (sender, jobs) = mpsc::channel::<Job>();
    let dedicated = Dedicated(sender);
    let other = Arc::new(ThreadPool::fixed(1));
    let pool = ThreadPool::fixed(1);
    let host = thread::spawn(move || jobs.into_iter().for_each(Job::run));
    let at_home = host.thread().id();
    let there = Arc::clone(&other);
    let others = offload_on(&other, || thread::current().id())
        .wait()
        .unwrap();
    // The other pool's thread has to wake up first: the one that waits could run the job before.
    let Busy { offload, release } = Busy::start(&other, || ());
    let seen = offload_on(&pool, move || {
        let first = offload_on(&dedicated, || thread::current().id()).wait();
        let second = offload_on(&there, || thread::current().id());
        drop(release);
        (first.unwrap(), second.wait().unwrap())
    });
    assert_eq!(seen.wait().unwrap(), (at_home, others));
    offload.wait().unwrap();
    host.join().unwrap();
}

#[test]
fn a_wait_with_a_timeout_gives_the_future_back() {
    let pool = Arc::new(ThreadPool::fixed(1));
    let inner = Arc::clone(&pool);
    let offload = offload_on(&pool, move || {
        // Still queued, and left so: running it could take longer than the timeout.
        let offload = offload_on(&inner, || 7);
        let offload = offload.wait_timeout(Duration::from_nanos(1)).unwrap_err();
        assert!(offload.is_queued());
        offload.wait()
    });
    assert_eq!(
        offload
            .wait_timeout(Duration::MAX)
            .unwrap()
            .unwrap()
            .unwrap(),
        7
    );
    let busy = Busy::start(&pool, || 8);
    let Busy { offload, release } = busy;
    let offload = offload.wait_timeout(Duration::ZERO).unwrap_err();
    assert!(offload.is_running());
    drop(release);
    assert_eq!(offload.wait_timeout(Duration::MAX).unwrap().unwrap(), 8);
}

#[test]
fn a_cancelled_job_is_not_waited_for() {
    let shelf = Shelf::default();
    let offload = offload_on(&shelf, || ());
    offload.cancel();
    assert!(offload.wait().unwrap_err().is_cancelled());
}

#[test]
fn a_job_may_be_polled_before_it_is_waited_for() {
    let pool = ThreadPool::fixed(1);
    let Busy {
        mut offload,
        release,
    } = Busy::start(&pool, || 7);
    let polled = Pin::new(&mut offload).poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending));
    drop(release);
    assert_eq!(offload.wait().unwrap(), 7);
}

#[test]
fn a_job_that_a_pool_has_refused_runs_where_it_was_taken_in_the_end() {
    let pool = ThreadPool::builder().max_threads(1).queue_bound(0).build();
    let (sender, jobs) = mpsc::channel::<Job>();
    let host = thread::spawn(move || jobs.into_iter().for_each(Job::run));
    let at_home = host.thread().id();
    let handle = pool.handle();
    let falls_back = from_fn(move |job| match handle.execute(job) {
        // One that hesitates: the waiter has time to take it away.
        Err(job) => sender.send(job).map_err(|unsent| unsent.0),
        Ok(()) => Ok(()),
    });
    let seen = offload_on(&pool, move || {
        let offloads: Vec<_> = (0..100)
            .map(|_| offload_on(&falls_back, || thread::current().id()))
            .collect();
        // The last ones are still queued.
        let threads = offloads.into_iter().rev().map(Offload::wait);
        threads.collect::<Result<Vec<_>, _>>()
    });
    let threads = seen.wait().unwrap().unwrap();
    assert!(threads.iter().all(|thread| *thread == at_home));
    host.join().unwrap();
}

#[test]
fn a_job_that_an_executor_runs_within_the_call_is_on_the_thread_of_the_job_around_it() {
    let pool = ThreadPool::fixed(1);
    let handle = pool.handle();
    let inline = from_fn(|job: Job| {
        job.run();
        Ok(())
    });
    let outer = offload_on(&pool, move || {
        let middle = offload_on(&inline, move || offload_on(&handle, || 7).wait());
        middle.wait()
    });
    let seen = outer.wait_timeout(Duration::from_secs(5));
    assert_eq!(
        seen.expect("it ran where it could")
            .unwrap()
            .unwrap()
            .unwrap(),
        7
    );
}

//! Jobs that wait too long for a thread: who is told, how often, and what.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringloop_offload::{Builder, PoolBuilder, Stall, ThreadPool, offload_on};

use crate::support::{Busy, block_on};

/// A pool that reports a job as soon as it waits, and its reports.
fn watched(builder: PoolBuilder, bound: Duration) -> (ThreadPool, Receiver<Stall>) {
    let (sender, stalls) = mpsc::channel();
    let sender = Mutex::new(sender);
    let pool = builder.on_stall(bound, move |stall| {
        let _nobody_may_listen = sender.lock().unwrap().send(stall.clone());
    });
    (pool.build(), stalls)
}

#[test]
fn a_job_that_waits_is_reported_with_what_runs_instead() {
    let (pool, stalls) = watched(
        ThreadPool::builder().name("narrow").max_threads(1),
        Duration::ZERO,
    );
    let busy = Busy::start(&pool, || ());
    let waiting = Builder::new().name("report").offload_on(&pool, || ());
    let stall = stalls.recv().unwrap();
    assert_eq!(stall.pool, "narrow");
    assert_eq!(stall.queued.name.as_deref(), Some("report"));
    assert_eq!(stall.queued.location, waiting.location());
    assert_eq!(stall.queued.parent, None);
    assert_eq!(stall.running.len(), 1);
    assert_eq!(stall.running[0].location, busy.offload.location());
    assert_eq!(stall.running[0].thread, "narrow-0");
    assert!(!stall.is_deadlock);
    let text = stall.to_string();
    assert!(
        text.contains("pool `narrow`: job `report`, offloaded at "),
        "{text}"
    );
    assert!(text.contains("running on narrow-0 for "), "{text}");
    busy.finish().unwrap();
    block_on(waiting).unwrap();
}

#[test]
fn a_stall_is_reported_once() {
    let (pool, stalls) = watched(ThreadPool::builder().max_threads(1), Duration::ZERO);
    let busy = Busy::start(&pool, || ());
    let first = offload_on(&pool, || ());
    assert_eq!(stalls.recv().unwrap().queued.location, first.location());
    // It goes on, with more jobs.
    let more = [offload_on(&pool, || ()), offload_on(&pool, || ())];
    busy.finish().unwrap();
    for job in more {
        block_on(job).unwrap();
    }
    block_on(first).unwrap();
    pool.shutdown(Duration::MAX);
    drop(pool);
    // The channel is closed by the last who could report.
    assert_eq!(stalls.iter().count(), 0);
}

#[test]
fn a_wait_below_the_bound_is_nothing_to_report() {
    let (pool, stalls) = watched(ThreadPool::builder().max_threads(1), Duration::MAX);
    let busy = Busy::start(&pool, || ());
    let waiting = offload_on(&pool, || ());
    busy.finish().unwrap();
    block_on(waiting).unwrap();
    drop(pool);
    assert_eq!(stalls.iter().count(), 0);
}

/// F81: the job blocks on a channel for one that waits behind it.
#[test]
fn a_deadlock_is_named_with_both_sites() {
    let (pool, stalls) = watched(ThreadPool::builder().max_threads(1), Duration::ZERO);
    let handle = pool.handle();
    let outer = offload_on(&pool, move || {
        let (sender, receiver) = mpsc::channel();
        let inner = offload_on(&handle, move || sender.send(()));
        let site = inner.location();
        // Ends when the pool is shut down, which drops the inner job and its sender.
        receiver.recv().unwrap_err();
        site
    });
    let stall = stalls.recv().unwrap();
    assert!(stall.is_deadlock, "{stall}");
    assert_eq!(stall.running[0].location, outer.location());
    assert_eq!(stall.queued.parent, Some(outer.location()));
    let text = stall.to_string();
    assert!(text.ends_with("waits in this queue"), "{text}");
    pool.shutdown(Duration::ZERO);
    assert_eq!(block_on(outer).unwrap(), stall.queued.location);
}

#[test]
fn while_one_thread_goes_on_there_is_no_deadlock() {
    let (pool, stalls) = watched(ThreadPool::builder().max_threads(2), Duration::ZERO);
    let busy = Busy::start(&pool, || ());
    let handle = pool.handle();
    let outer = offload_on(&pool, move || {
        let (sender, receiver) = mpsc::channel();
        let inner = offload_on(&handle, move || sender.send(7).unwrap());
        let received = receiver.recv().unwrap();
        block_on(inner).unwrap();
        received
    });
    assert!(!stalls.recv().unwrap().is_deadlock);
    busy.finish().unwrap();
    assert_eq!(block_on(outer).unwrap(), 7);
}

#[test]
fn a_stall_that_turns_into_a_deadlock_is_reported_again() {
    let (pool, stalls) = watched(ThreadPool::builder().max_threads(1), Duration::ZERO);
    let handle = pool.handle();
    let (offload_more, goes_on) = mpsc::channel::<()>();
    let (started, has_started) = mpsc::channel();
    let outer = offload_on(&pool, move || {
        started.send(()).unwrap();
        goes_on.recv().unwrap_err();
        let (sender, receiver) = mpsc::channel();
        let inner = offload_on(&handle, move || sender.send(()));
        receiver.recv().unwrap_err();
        drop(inner);
    });
    has_started.recv().unwrap();
    let bystander = offload_on(&pool, || ());
    assert!(!stalls.recv().unwrap().is_deadlock);
    drop(offload_more);
    assert!(stalls.recv().unwrap().is_deadlock);
    pool.shutdown(Duration::ZERO);
    block_on(outer).unwrap();
    assert!(block_on(bystander).unwrap_err().is_rejected());
}

#[test]
fn a_hook_that_panics_stops_nothing() {
    let (sender, told) = mpsc::channel();
    let sender = Mutex::new(sender);
    let pool = ThreadPool::builder()
        .max_threads(1)
        .on_stall(Duration::ZERO, move |_stall| {
            sender.lock().unwrap().send(()).unwrap();
            panic!("the stall hook");
        })
        .build();
    let busy = Busy::start(&pool, || ());
    let waiting = offload_on(&pool, || 5);
    told.recv().unwrap();
    busy.finish().unwrap();
    assert_eq!(block_on(waiting).unwrap(), 5);
}

#[test]
fn the_hook_may_use_the_pool() {
    let (sender, told) = mpsc::channel();
    let sender = Mutex::new(sender);
    let pool = Arc::new(Mutex::new(None::<ringloop_offload::PoolHandle>));
    let seen = Arc::clone(&pool);
    let built = ThreadPool::builder()
        .max_threads(1)
        .on_stall(Duration::ZERO, move |_stall| {
            let stats = seen.lock().unwrap().as_ref().map(|pool| pool.stats());
            sender.lock().unwrap().send(stats).unwrap();
        })
        .build();
    *pool.lock().unwrap() = Some(built.handle());
    let busy = Busy::start(&built, || ());
    let waiting = offload_on(&built, || ());
    assert_eq!(told.recv().unwrap().unwrap().queued, 1);
    busy.finish().unwrap();
    block_on(waiting).unwrap();
    // The hook keeps a handle, the pool keeps the hook.
    pool.lock().unwrap().take();
}

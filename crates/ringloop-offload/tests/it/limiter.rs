//! At most so many at a time, in the order in which they came.

mod limits;
mod slots;

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ringloop_offload::{Executor, Limited, Limiter, PoolError, ThreadPool, offload_on};

use crate::support::{Busy, Drops, Shelf, block_on};

/// A limiter over a pool with more threads than it lets through.
fn setup(limit: usize) -> (Limiter, Limited<Arc<ThreadPool>>) {
    let limiter = Limiter::new(limit);
    let limited = limiter.over(Arc::new(ThreadPool::fixed(4)));
    (limiter, limited)
}

/// The slot of a job is free a moment after its result has come home.
fn wait_unused(limiter: &Limiter) {
    while limiter.stats().in_use > 0 {
        thread::yield_now();
    }
}

#[test]
fn a_job_beyond_the_limit_waits_without_a_thread() {
    let (limiter, limited) = setup(1);
    let busy = Busy::start(&limited, || 1);
    let second = offload_on(&limited, || 2);
    let stats = limiter.stats();
    assert_eq!((stats.in_use, stats.waiting, stats.granted), (1, 1, 1));
    assert_eq!(limited.executor().stats().queued, 0);
    // The pool is free for others.
    assert_eq!(block_on(offload_on(limited.executor(), || 3)).unwrap(), 3);
    assert!(second.is_queued());
    assert_eq!(busy.finish().unwrap(), 1);
    assert_eq!(block_on(second).unwrap(), 2);
    wait_unused(&limiter);
    let stats = limiter.stats();
    assert_eq!((stats.granted, stats.delayed, stats.waiting_max), (2, 1, 1));
}

#[test]
fn jobs_are_let_through_in_their_order() {
    let (_limiter, limited) = setup(1);
    let busy = Busy::start(&limited, || ());
    let order = Arc::new(Mutex::new(Vec::new()));
    let offloads: Vec<_> = (0..50)
        .map(|number| {
            let order = Arc::clone(&order);
            offload_on(&limited, move || order.lock().unwrap().push(number))
        })
        .collect();
    busy.finish().unwrap();
    for offload in offloads {
        block_on(offload).unwrap();
    }
    let order = order.lock().unwrap();
    assert!(order.iter().copied().eq(0..50), "{order:?}");
}

#[test]
fn one_limiter_over_two_executors() {
    let limiter = Limiter::new(1);
    let first = limiter.over(ThreadPool::fixed(1));
    let second = limiter.over(ThreadPool::builder().name("second").build());
    let busy = Busy::start(&first, || ());
    let name = offload_on(&second, || thread::current().name().map(str::to_owned));
    assert!(name.is_queued());
    busy.finish().unwrap();
    let name = block_on(name).unwrap();
    assert_eq!(name.as_deref(), Some("second-0"));
}

#[test]
fn a_job_refused_when_it_is_forwarded_says_why_and_passes_its_slot_on() {
    let limiter = Limiter::new(1);
    let (gone, alive) = (Arc::new(ThreadPool::fixed(1)), ThreadPool::fixed(1));
    let (to_gone, to_alive) = (limiter.over(Arc::clone(&gone)), limiter.over(alive));
    let busy = Busy::start(&to_alive, || ());
    let refused = offload_on(&to_gone, || ());
    let last = offload_on(&to_alive, || 7);
    gone.shutdown(Duration::MAX);
    assert!(refused.is_queued());
    busy.finish().unwrap();
    assert_eq!(block_on(last).unwrap(), 7);
    let error = block_on(refused).unwrap_err();
    assert!(error.is_rejected());
    let reason = error.source().unwrap().downcast_ref::<PoolError>();
    assert!(matches!(reason, Some(PoolError::Closed)));
}

#[test]
fn jobs_that_wait_outlive_the_handles() {
    let pool = Arc::new(ThreadPool::fixed(1));
    let limited = Limiter::new(1).over(Arc::clone(&pool));
    let busy = Busy::start(&limited, || ());
    let waiting = offload_on(&limited, || 5);
    drop(limited);
    busy.finish().unwrap();
    assert_eq!(block_on(waiting).unwrap(), 5);
}

#[test]
fn jobs_that_nobody_can_let_through_are_rejected() {
    let drops = Drops::default();
    let limiter = Limiter::new(0);
    let limited = limiter.over(Shelf::default());
    let probe = drops.probe();
    let waiting = offload_on(&limited, move || drop(probe));
    drop(limited);
    assert!(waiting.is_queued());
    drop(limiter);
    assert_eq!(drops.count(), 1);
    let error = block_on(waiting).unwrap_err();
    assert!(error.is_rejected());
    assert_eq!(
        error.source().unwrap().to_string(),
        "the limiter was dropped while its limit was 0"
    );
}

#[test]
fn the_types_can_be_shared_and_printed() {
    fn is_shared<T: Send + Sync + Clone>(value: &T) -> &T {
        value
    }

    let (limiter, limited) = setup(2);
    let text = format!("{:?} {:?}", is_shared(&limiter), is_shared(&limited));
    assert!(
        text.contains("limit: 2") && text.contains("ThreadPool"),
        "{text}"
    );
    assert_eq!(limited.limiter().limit(), 2);
    let as_dyn: &dyn Executor = &limited;
    block_on(offload_on(as_dyn, || ())).unwrap();
}

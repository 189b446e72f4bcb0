//! The end of a pool: nothing hangs, nothing leaks, and the report says what was left.

use std::error::Error;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ringloop_offload::{Offload, OffloadError, PoolError, ThreadPool, offload_on};

use crate::support::{Busy, Drops, announce_thread_end, block_on};

fn assert_closed(error: &OffloadError) {
    assert!(error.is_rejected(), "{error:?}");
    let reason = error
        .source()
        .and_then(|source| source.downcast_ref::<PoolError>());
    assert!(matches!(reason, Some(PoolError::Closed)), "{error:?}");
}

fn two_queued(pool: &ThreadPool, drops: &Drops) -> [Offload<()>; 2] {
    [drops.probe(), drops.probe()].map(|probe| offload_on(pool, move || drop(probe)))
}

#[test]
fn an_unused_pool_shuts_down() {
    let report = ThreadPool::blocking().shutdown(Duration::MAX);
    assert_eq!(
        (report.finished, report.detached, report.dropped),
        (0, 0, 0)
    );
    assert!(report.is_clean());
}

#[test]
fn idle_threads_are_gone_after_a_shutdown() {
    let pool = ThreadPool::fixed(1);
    block_on(offload_on(&pool, || ())).unwrap();
    assert!(pool.shutdown(Duration::MAX).is_clean());
    assert_eq!(pool.stats().threads, 0);
}

#[test]
fn past_the_bound_running_jobs_are_detached_and_their_results_still_come_home() {
    let pool = ThreadPool::fixed(1);
    let drops = Drops::default();
    let busy = Busy::start(&pool, || 5);
    let [first, second] = two_queued(&pool, &drops);
    second.cancel();

    let report = pool.shutdown(Duration::ZERO);
    assert_eq!(
        (report.finished, report.detached, report.dropped),
        (0, 1, 1)
    );
    assert!(!report.is_clean());
    assert_eq!(drops.count(), 2);
    assert_closed(&block_on(first).unwrap_err());
    assert!(block_on(second).unwrap_err().is_cancelled());
    assert_closed(&block_on(offload_on(&pool, || ())).unwrap_err());

    assert_eq!(busy.finish().unwrap(), 5);
    // The job may have ended before this call; it is not running after it.
    let report = pool.shutdown(Duration::MAX);
    assert_eq!((report.detached, report.dropped), (0, 0));
    assert_eq!(pool.stats().threads, 0);
}

#[test]
fn a_shutdown_waits_for_running_jobs() {
    let pool = ThreadPool::fixed(1);
    let drops = Drops::default();
    let Busy { offload, release } = Busy::start(&pool, || 5);
    let [first, second] = two_queued(&pool, &drops);
    let releaser = thread::spawn(move || {
        // Rejected by the shutdown, which is then past its beginning; so the job surely ran then.
        assert_closed(&block_on(first).unwrap_err());
        drop(release);
    });
    let report = pool.shutdown(Duration::MAX);
    assert_eq!(
        (report.finished, report.detached, report.dropped),
        (1, 0, 2)
    );
    assert_eq!(pool.stats().ended, 1);
    assert_eq!(block_on(offload).unwrap(), 5);
    assert_closed(&block_on(second).unwrap_err());
    releaser.join().unwrap();
}

#[test]
fn dropping_the_pool_does_not_wait_and_leaks_no_thread() {
    let pool = ThreadPool::fixed(1);
    let drops = Drops::default();
    let (sender, ended) = mpsc::channel();
    let busy = Busy::start(&pool, move || announce_thread_end(sender));
    let queued = two_queued(&pool, &drops);
    // This would hang here if it waited: the job is released below.
    drop(pool);
    assert_eq!(drops.count(), 2);
    for offload in queued {
        assert_closed(&block_on(offload).unwrap_err());
    }
    busy.finish().unwrap();
    ended.recv().unwrap();
}

#[test]
fn idle_threads_leave_when_the_pool_is_dropped() {
    let pool = ThreadPool::fixed(1);
    let (sender, ended) = mpsc::channel();
    block_on(offload_on(&pool, move || announce_thread_end(sender))).unwrap();
    drop(pool);
    ended.recv().unwrap();
}

#[test]
fn a_queued_value_that_panics_when_dropped_stops_nothing() {
    struct Fuse;

    impl Drop for Fuse {
        fn drop(&mut self) {
            panic!("a destructor's panic");
        }
    }

    let pool = ThreadPool::fixed(1);
    let busy = Busy::start(&pool, || ());
    let fuse = Fuse;
    let faulty = offload_on(&pool, move || drop(fuse));
    let behind = offload_on(&pool, || ());
    let report = pool.shutdown(Duration::ZERO);
    assert_eq!(report.dropped, 2);
    assert!(block_on(faulty).unwrap_err().is_panic());
    assert_closed(&block_on(behind).unwrap_err());
    busy.finish().unwrap();
}

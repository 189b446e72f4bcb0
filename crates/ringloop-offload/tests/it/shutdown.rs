//! The end of a pool: nothing hangs, nothing leaks, and the report says what was left.

use std::error::Error;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use ringloop_offload::{Builder, Offload, OffloadError, PoolError, ThreadPool, offload_on};

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

#[test]
fn the_report_names_what_still_runs() {
    let pool = ThreadPool::builder().name("keeper").max_threads(2).build();
    let first = Busy::start(&pool, || ());
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let backup = Builder::new().name("backup").offload_on(&pool, move || {
        started.send(()).unwrap();
        released.recv().unwrap_err();
    });
    has_started.recv().unwrap();

    let report = pool.shutdown(Duration::ZERO);
    assert_eq!((report.finished, report.detached), (0, 2));
    let [oldest, youngest] = &report.still_running[..] else {
        panic!("{report:?}");
    };
    assert_eq!(oldest.name, None);
    assert_eq!(oldest.location, first.offload.location());
    assert_eq!(oldest.thread, "keeper-0");
    assert!(oldest.running_for >= youngest.running_for);
    assert_eq!(youngest.name.as_deref(), Some("backup"));
    assert_eq!(youngest.location, backup.location());
    let text = report.to_string();
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("0 jobs finished, 0 dropped, 2 still running:")
    );
    assert_eq!(lines.clone().count(), 2, "{text}");
    assert!(text.contains("`backup`, offloaded at "), "{text}");

    drop(release);
    first.finish().unwrap();
    block_on(backup).unwrap();
    let report = pool.shutdown(Duration::MAX);
    assert!(report.is_clean() && report.still_running.is_empty());
    assert!(
        report.to_string().ends_with("none still running"),
        "{report}"
    );
}

#[test]
fn a_job_may_shut_its_own_pool_down() {
    let pool = Arc::new(ThreadPool::fixed(2));
    let other = Busy::start(&*pool, || ());
    let own = Arc::clone(&pool);
    let Busy { offload, release } = other;
    let job = offload_on(&*pool, move || {
        drop(release);
        // It waits for the other job, and not for itself.
        own.shutdown(Duration::MAX)
    });
    let report = block_on(job).unwrap();
    assert_eq!(report.detached, 1);
    assert_eq!(report.still_running.len(), 1);
    assert_eq!(report.still_running[0].thread, "cpu-1");
    block_on(offload).unwrap();
    // From outside, a shutdown waits for that job as well.
    assert!(pool.shutdown(Duration::MAX).is_clean());
    assert_eq!(pool.stats().threads, 0);
}

//! What a pool counts, and what it refuses.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::error::Error;
use std::time::Duration;

use ringloop_offload::{OffloadError, PoolError, ThreadPool, offload_on};

use crate::support::{Busy, block_on};

fn refusal(error: &OffloadError) -> &PoolError {
    error.source().unwrap().downcast_ref().unwrap()
}

#[test]
fn each_job_is_counted_once_by_what_became_of_it() {
    let pool = ThreadPool::fixed(1);
    block_on(offload_on(&pool, || ())).unwrap();
    block_on(offload_on(&pool, || panic!("counted"))).unwrap_err();
    let busy = Busy::start(&pool, || ());
    let cancelled = offload_on(&pool, || ());
    let dropped = offload_on(&pool, || ());
    assert!(cancelled.cancel());
    let Busy { offload, release } = busy;
    // Abandoned while it runs.
    drop(offload);
    assert_eq!(pool.stats().running, 1);

    assert_eq!(pool.shutdown(Duration::ZERO).dropped, 1);
    drop(release);
    pool.shutdown(Duration::MAX);
    let late = block_on(offload_on(&pool, || ())).unwrap_err();
    assert!(matches!(refusal(&late), PoolError::Closed));
    assert!(block_on(dropped).unwrap_err().is_rejected());

    let stats = pool.stats();
    assert_eq!(stats.accepted, 5);
    assert_eq!(stats.ended, 3);
    assert_eq!(
        (stats.completed, stats.panicked, stats.abandoned),
        (1, 1, 1)
    );
    assert_eq!(stats.rejected, 2, "the dropped one and the late one");
    assert_eq!((stats.running, stats.queued, stats.threads), (0, 0, 0));
    for times in [&stats.wait_times, &stats.run_times] {
        assert_eq!(times.count(), 3);
        assert!(times.max() <= times.sum());
        assert!(times.percentile(50.0) <= times.percentile(100.0));
    }
}

#[test]
fn waits_and_runs_take_time() {
    let pool = ThreadPool::fixed(1);
    let busy = Busy::start(&pool, || ());
    let behind = offload_on(&pool, || ());
    busy.finish().unwrap();
    block_on(behind).unwrap();
    pool.shutdown(Duration::MAX);
    let stats = pool.stats();
    assert_eq!(stats.wait_times.count(), 2);
    assert!(stats.wait_times.max() > Duration::ZERO);
    assert!(stats.run_times.max() > Duration::ZERO);
}

#[test]
fn a_full_queue_refuses_at_once_and_names_its_bound() {
    let pool = ThreadPool::builder().max_threads(1).queue_bound(2).build();
    let busy = Busy::start(&pool, || ());
    let waiting = [offload_on(&pool, || 0), offload_on(&pool, || 1)];
    for refused in 1..=3 {
        let error = block_on(offload_on(&pool, || 2)).unwrap_err();
        assert!(error.is_rejected());
        let reason = refusal(&error);
        assert!(
            matches!(reason, PoolError::Full { bound: 2, .. }),
            "{reason:?}"
        );
        assert!(reason.to_string().contains("2 jobs"), "{reason}");
        assert_eq!(pool.stats().rejected, refused);
    }
    // Room is made by a job that is cancelled, too.
    assert!(waiting[0].cancel());
    let third = offload_on(&pool, || 3);
    assert!(third.is_queued());
    busy.finish().unwrap();
    let [_cancelled, second] = waiting;
    assert_eq!(block_on(second).unwrap(), 1);
    assert_eq!(block_on(third).unwrap(), 3);
}

#[test]
fn a_queue_without_room_lets_through_what_a_thread_can_take() {
    let pool = ThreadPool::builder().max_threads(2).queue_bound(0).build();
    let busy = [Busy::start(&pool, || ()), Busy::start(&pool, || ())];
    let error = block_on(offload_on(&pool, || ())).unwrap_err();
    assert!(matches!(refusal(&error), PoolError::Full { bound: 0, .. }));
    for busy in busy {
        busy.finish().unwrap();
    }
}

//! Many jobs against the races that cannot be staged: every waiter gets an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ringloop_offload::{ThreadPool, offload_on};

use crate::support::block_on;

/// Submits from three threads while workers come and go, cancelling every third job.
fn check(pool: &ThreadPool) {
    let runs = Arc::new(AtomicUsize::new(0));
    let answers = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..SUBMITTERS {
            scope.spawn(|| {
                for number in 0..JOBS {
                    let runs = Arc::clone(&runs);
                    let offload = offload_on(pool, move || {
                        runs.fetch_add(1, Ordering::Relaxed);
                        number
                    });
                    let never_runs = number % 3 == 0 && offload.cancel();
                    match block_on(offload) {
                        Ok(value) => {
                            assert_eq!(value, number);
                            assert!(!never_runs);
                            answers.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(error) => assert!(error.is_cancelled() && never_runs),
                    }
                }
            });
        }
    });
    assert_eq!(
        runs.load(Ordering::Relaxed),
        answers.load(Ordering::Relaxed)
    );
    assert!(pool.shutdown(Duration::MAX).is_clean());
    let stats = pool.stats();
    assert_eq!(
        (stats.threads, stats.idle, stats.running, stats.queued),
        (0, 0, 0, 0)
    );
    assert_eq!(stats.accepted, (SUBMITTERS * JOBS) as u64);
    assert_eq!(stats.ended, answers.load(Ordering::Relaxed) as u64);
}

#[test]
fn workers_that_leave_at_once_miss_no_job() {
    check(
        &ThreadPool::builder()
            .max_threads(2)
            .keep_alive(Duration::ZERO)
            .build(),
    );
}

#[test]
fn workers_whose_time_is_up_while_they_are_claimed_miss_no_job() {
    check(
        &ThreadPool::builder()
            .max_threads(2)
            .keep_alive(Duration::from_micros(5))
            .build(),
    );
}

#[test]
fn workers_that_stay_miss_no_job() {
    check(&ThreadPool::fixed(2));
}

const SUBMITTERS: usize = 3;
const JOBS: usize = if cfg!(miri) { 20 } else { 1000 };

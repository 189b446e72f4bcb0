//! Many jobs against the races that cannot be staged: every waiter gets an answer.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
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

/// Ten million with `RINGLOOP_LONG=1`.
#[test]
fn tiny_jobs_from_four_submitters_complete_exactly_once() {
    let is_long = env::var_os("RINGLOOP_LONG").is_some();
    let jobs = if is_long { 2_500_000 } else { 8_000 };
    let pool = ThreadPool::fixed(2);
    let runs: Arc<[AtomicU64]> = (0..4 * jobs / 64).map(|_| AtomicU64::new(0)).collect();
    let doubles = Arc::new(AtomicUsize::new(0));
    thread::scope(|scope| {
        for submitter in 0..4 {
            let (pool, runs, doubles) = (&pool, &runs, &doubles);
            scope.spawn(move || {
                // As many at a time as keep both ends busy.
                for first in (0..jobs).step_by(500) {
                    let batch = (first..first + 500).map(|job| {
                        let number = submitter * jobs + job;
                        let (runs, doubles) = (Arc::clone(runs), Arc::clone(doubles));
                        offload_on(pool, move || mark(&runs, &doubles, number))
                    });
                    for offload in batch.collect::<Vec<_>>() {
                        block_on(offload).unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(doubles.load(Ordering::Relaxed), 0, "jobs that ran twice");
    let missed = runs
        .iter()
        .map(|word| word.load(Ordering::Relaxed).count_zeros());
    assert_eq!(missed.sum::<u32>(), 0, "jobs that did not run");
    assert!(pool.shutdown(Duration::MAX).is_clean());
    let stats = pool.stats();
    assert_eq!(stats.completed, 4 * jobs as u64);
    assert_eq!(stats.run_times.count(), stats.completed);
}

/// Marks a job as run; counts it if it was.
fn mark(runs: &[AtomicU64], doubles: &AtomicUsize, number: usize) {
    let bit = 1 << (number % 64);
    let before = runs[number / 64].fetch_or(bit, Ordering::Relaxed);
    doubles.fetch_add(usize::from(before & bit != 0), Ordering::Relaxed);
}

const SUBMITTERS: usize = 3;
const JOBS: usize = if cfg!(miri) { 20 } else { 1000 };

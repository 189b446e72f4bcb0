//! Jobs that nobody runs: their waiters hear of it.

use std::error::Error;
use std::fmt;
use std::io;

use ringloop_offload::{Executor, Job, PoolError, ThreadPool, offload_on};

use crate::support::{Busy, DropProbe, Drops, Shelf, block_on};

/// Takes nothing.
struct Closed;

impl Executor for Closed {
    fn execute(&self, job: Job) -> Result<(), Job> {
        Err(job)
    }
}

#[test]
fn a_job_that_is_not_taken_is_rejected_at_once() {
    let drops = Drops::default();
    let probe = drops.probe();
    let offload = offload_on(&Closed, move || drop(probe));
    assert!(!offload.is_queued() && !offload.is_running());
    assert_eq!(drops.count(), 1);
    let error = block_on(offload).unwrap_err();
    assert!(error.is_rejected() && error.source().is_none());
    assert_eq!(error.to_string(), "the executor did not run the job");
    assert!(error.try_into_panic().unwrap_err().is_rejected());
}

#[test]
fn a_refusal_says_why() {
    struct Sulky;

    impl Executor for Sulky {
        fn execute(&self, job: Job) -> Result<(), Job> {
            Err(job.refused("not today"))
        }
    }

    let error = block_on(offload_on(&Sulky, || ())).unwrap_err();
    assert_eq!(error.source().unwrap().to_string(), "not today");
}

#[test]
fn a_refused_job_can_go_to_another_executor() {
    struct Fallback(Closed, ThreadPool);

    impl Executor for Fallback {
        fn execute(&self, job: Job) -> Result<(), Job> {
            self.0
                .execute(job.refused("busy"))
                .or_else(|job| self.1.execute(job))
        }
    }

    let fallback = Fallback(Closed, ThreadPool::fixed(1));
    assert_eq!(block_on(offload_on(&fallback, || 4)).unwrap(), 4);
}

#[test]
fn a_stale_refusal_is_dropped_when_another_executor_takes_the_job() {
    /// A reason that counts its end.
    struct Reason {
        _probe: DropProbe,
    }

    impl fmt::Debug for Reason {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Reason")
        }
    }

    impl fmt::Display for Reason {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a reason")
        }
    }

    impl Error for Reason {}

    struct Fallback<'pool>(&'pool ThreadPool, Drops);

    impl Executor for Fallback<'_> {
        fn execute(&self, job: Job) -> Result<(), Job> {
            self.0.execute(job.refused(Reason {
                _probe: self.1.probe(),
            }))
        }
    }

    let pool = ThreadPool::fixed(1);
    let busy = Busy::start(&pool, || ());
    let drops = Drops::default();
    let offload = offload_on(&Fallback(&pool, drops.clone()), || ());
    assert!(offload.is_queued());
    assert_eq!(drops.count(), 1);
    busy.finish().unwrap();
    block_on(offload).unwrap();
}

#[test]
fn a_job_that_its_executor_loses_is_rejected() {
    let shelf = Shelf::default();
    let drops = Drops::default();
    let probe = drops.probe();
    let offload = offload_on(&shelf, move || drop(probe));
    drop(shelf);
    assert_eq!(drops.count(), 1);
    assert!(block_on(offload).unwrap_err().is_rejected());
}

#[test]
fn captured_values_that_panic_when_rejected_come_home() {
    struct Fuse;

    impl Drop for Fuse {
        fn drop(&mut self) {
            panic!("a destructor's panic");
        }
    }

    let fuse = Fuse;
    let offload = offload_on(&Closed, move || drop(fuse));
    assert_eq!(
        block_on(offload).unwrap_err().panic_message(),
        Some("a destructor's panic")
    );
}

#[test]
fn a_pool_that_cannot_start_a_thread_rejects_at_once() {
    // No address space has room for such a stack.
    let pool = ThreadPool::builder().stack_size(1 << 50).build();
    for attempt in 1..=2 {
        let error = block_on(offload_on(&pool, || ())).unwrap_err();
        let reason = error.source().unwrap().downcast_ref::<PoolError>().unwrap();
        assert!(matches!(reason, PoolError::NoThread(_)), "{reason:?}");
        assert!(reason.source().unwrap().is::<io::Error>());
        assert_eq!(pool.stats().start_failures, attempt);
    }
    assert_eq!(pool.stats().threads, 0);
}

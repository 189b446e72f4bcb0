//! Errors of others whose destructors panic, on the threads of a pool.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use ringloop_offload::{Limiter, Offload, ThreadPool, from_fn, offload_on};

use crate::support::Busy;

/// Its destructor panics.
#[derive(Debug)]
struct Fuse;

impl fmt::Display for Fuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fuse")
    }
}

impl Error for Fuse {}

impl Drop for Fuse {
    fn drop(&mut self) {
        assert!(thread::panicking(), "a destructor's panic");
    }
}

/// The last that is seen of an abandoned job is its worker.
#[test]
fn a_reason_costs_no_worker() {
    let pool = ThreadPool::fixed(1);
    let Busy { offload, release } = Busy::start(&pool, || ());
    assert!(!offload.cancel_with(Fuse));
    drop(offload);
    drop(release);
    pool.shutdown(Duration::from_secs(5));
    let stats = pool.stats();
    assert_eq!((stats.threads, stats.running, stats.abandoned), (0, 0, 1));
}

/// The worker that passes a slot on finds a job that is cancelled while its executor refuses it.
#[test]
fn a_refusal_costs_no_worker_and_no_slot() {
    let limiter = Limiter::new(1);
    let pool = Arc::new(ThreadPool::fixed(1));
    let (to_pool, to_cancel) = (limiter.over(Arc::clone(&pool)), Arc::new(Mutex::new(None)));
    let cancel = Arc::clone(&to_cancel);
    let refuses = limiter.over(from_fn(move |job| {
        let offload: Offload<()> = cancel.lock().unwrap().take().unwrap();
        assert!(offload.cancel());
        Err(job.refused(Fuse))
    }));
    let busy = Busy::start(&to_pool, || ());
    *to_cancel.lock().unwrap() = Some(offload_on(&refuses, || ()));
    let last = offload_on(&to_pool, || 7);
    busy.finish().unwrap();
    let last = last.wait_timeout(Duration::from_secs(5));
    assert_eq!(last.expect("the slot goes on").unwrap(), 7);
    pool.shutdown(Duration::from_secs(5));
    assert_eq!(limiter.stats().in_use, 0);
    let stats = pool.stats();
    assert_eq!((stats.threads, stats.running, stats.completed), (0, 0, 2));
}

//! What becomes of a job that nobody waits for any more, when it fails.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::cell::Cell;
use std::panic;
use std::sync::mpsc;
use std::thread::{self, ThreadId};

use ringloop_offload::{ThreadPool, offload_on};

use crate::support::Busy;

/// Says on which thread it is dropped.
struct Witness(mpsc::Sender<ThreadId>);

impl Drop for Witness {
    fn drop(&mut self) {
        let _nobody_may_listen = self.0.send(thread::current().id());
    }
}

/// Starts a job, abandons it, and lets it panic with a witness. Returns the job's thread, and that
/// on which the payload was dropped.
fn panic_abandoned(pool: &ThreadPool) -> (ThreadId, ThreadId) {
    let (sender, receiver) = mpsc::channel();
    let worker = offload_on(pool, || thread::current().id()).wait().unwrap();
    let Busy { offload, release } = Busy::start(pool, move || {
        panic::panic_any(Witness(sender));
    });
    drop::<ringloop_offload::Offload<()>>(offload);
    drop(release);
    (worker, receiver.recv().unwrap())
}

#[test]
fn the_payload_of_an_abandoned_job_is_dropped_on_the_worker() {
    let pool = ThreadPool::fixed(1);
    let (worker, dropped_on) = panic_abandoned(&pool);
    assert_eq!(worker, dropped_on);
    let after = offload_on(&pool, || thread::current().id()).wait().unwrap();
    assert_eq!(worker, after, "the worker goes on");
}

#[test]
fn the_panic_hook_hears_of_an_abandoned_job_that_panics() {
    thread_local! {
        static IS_HEARD: Cell<bool> = const { Cell::new(false) };
    }

    // Other tests may run in this process, and have the hook they had.
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if info.payload().is::<Witness>() {
            IS_HEARD.set(true);
        } else {
            previous(info);
        }
    }));
    let pool = ThreadPool::fixed(1);
    let _threads = panic_abandoned(&pool);
    assert!(offload_on(&pool, || IS_HEARD.get()).wait().unwrap());
}

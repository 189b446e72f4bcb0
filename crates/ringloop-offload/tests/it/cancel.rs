//! What becomes of a job whose waiter changes its mind.

use std::sync::{Arc, mpsc};
use std::thread;

use ringloop_offload::{Interrupt, Offload, ThreadPool, offload_on};

use crate::support::{Busy, Drops, Shelf, block_on};

/// A pool whose only worker is busy, and a job that waits behind it.
fn queued(drops: &Drops) -> (ThreadPool, Busy<()>, Offload<()>) {
    let pool = ThreadPool::fixed(1);
    let busy = Busy::start(&pool, || ());
    let probe = drops.probe();
    let offload = offload_on(&pool, move || {
        drop(probe);
        panic!("it was cancelled and ran");
    });
    assert!(offload.is_queued());
    (pool, busy, offload)
}

#[test]
fn cancelled_while_queued_it_never_runs() {
    let drops = Drops::default();
    let (pool, busy, offload) = queued(&drops);
    assert!(offload.cancel());
    assert_eq!(
        drops.count(),
        1,
        "captured values are dropped by the cancel"
    );
    assert!(!offload.cancel(), "it is cancelled only once");
    let error = block_on(offload).unwrap_err();
    assert!(error.is_cancelled() && !error.is_rejected() && !error.is_panic());
    busy.finish().unwrap();
    block_on(offload_on(&pool, || ())).unwrap();
    assert_eq!(drops.count(), 1);
}

#[test]
fn dropped_while_queued_it_never_runs() {
    let drops = Drops::default();
    let (pool, busy, offload) = queued(&drops);
    drop(offload);
    assert_eq!(drops.count(), 1);
    busy.finish().unwrap();
    block_on(offload_on(&pool, || ())).unwrap();
    assert_eq!(drops.count(), 1);
}

#[test]
fn cancelled_while_running_it_is_asked_and_its_value_wins() {
    let pool = ThreadPool::fixed(1);
    let busy = Busy::start(&pool, || Interrupt::current().is_requested());
    assert!(busy.offload.is_running() && !busy.offload.is_queued());
    assert!(!busy.offload.cancel());
    assert!(busy.finish().unwrap(), "the job was not asked to stop");
}

#[test]
fn a_job_that_nobody_cancels_is_not_interrupted() {
    let pool = ThreadPool::fixed(1);
    let cancelled = Busy::start(&pool, || ());
    cancelled.offload.cancel();
    cancelled.finish().unwrap();
    // The next job on the same thread has its own interrupt.
    let busy = Busy::start(&pool, || Interrupt::current().is_requested());
    assert!(!busy.finish().unwrap());
}

#[test]
fn dropped_while_running_it_is_abandoned_and_keeps_its_slot() {
    let pool = ThreadPool::fixed(1);
    let (sender, receiver) = mpsc::channel();

    /// Says on which thread it is dropped.
    struct Unwanted(mpsc::Sender<thread::ThreadId>);

    impl Drop for Unwanted {
        fn drop(&mut self) {
            self.0.send(thread::current().id()).unwrap();
        }
    }

    let (saw, seen) = mpsc::channel();
    let Busy { offload, release } = Busy::start(&pool, move || {
        saw.send((Interrupt::current().is_requested(), thread::current().id()))
            .unwrap();
        Unwanted(sender)
    });
    drop(offload);
    // The job runs on, and the slot is its own until it ends.
    let next = offload_on(&pool, || ());
    assert!(next.is_queued());
    assert_eq!(pool.stats().running, 1);
    assert!(receiver.try_recv().is_err());
    drop(release);
    let (was_requested, worker) = seen.recv().unwrap();
    assert!(was_requested, "an abandoned job is asked to stop");
    assert_eq!(
        receiver.recv(),
        Ok(worker),
        "the result is dropped where it was made"
    );
    block_on(next).unwrap();
}

#[test]
fn an_interrupt_reaches_the_helpers_of_a_job() {
    let pool = ThreadPool::fixed(1);
    let (sender, receiver) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let offload = offload_on(&pool, move || {
        sender.send(Interrupt::current()).unwrap();
        released.recv().unwrap_err();
    });
    let interrupt = receiver.recv().unwrap();
    assert!(!interrupt.is_requested());
    drop(offload);
    assert!(interrupt.is_requested(), "on any thread that has it");
    assert!(
        !Interrupt::current().is_requested(),
        "but it is not this thread's"
    );
    drop(release);
}

#[test]
fn leaving_after_the_end_interrupts_nothing() {
    let shelf = Shelf::default();
    let (sender, receiver) = mpsc::channel();
    let offload = offload_on(&shelf, move || sender.send(Interrupt::current()).unwrap());
    shelf.pop().run();
    drop(offload);
    assert!(!receiver.recv().unwrap().is_requested());
}

#[test]
fn cancelled_after_the_end_the_value_wins() {
    let shelf = Shelf::default();
    let offload = offload_on(&shelf, || 6);
    shelf.pop().run();
    assert!(!offload.cancel());
    assert_eq!(block_on(offload).unwrap(), 6);
}

#[test]
fn a_cancel_wakes_the_waiter() {
    let shelf = Shelf::default();
    let offload = Arc::new(offload_on(&shelf, || ()));
    let canceller = Arc::clone(&offload);
    thread::spawn(move || assert!(canceller.cancel()))
        .join()
        .unwrap();
    let offload = Arc::into_inner(offload).unwrap();
    assert!(block_on(offload).unwrap_err().is_cancelled());
    let job = shelf.pop();
    assert!(job.is_cancelled());
    job.run();
}

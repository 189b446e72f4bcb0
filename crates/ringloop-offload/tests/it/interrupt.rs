//! How a running job hears that it should stop, and why.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::error::Error;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ringloop_offload::{Interrupt, Interrupted, Offload, Requested, ThreadPool, offload_on};

use crate::support::{Busy, Shelf, Wakes, block_on};

/// A running job, and its interrupt.
fn running(pool: &ThreadPool) -> (Offload<Interrupt>, Interrupt, mpsc::Sender<()>) {
    let (started, has_started) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let offload = offload_on(pool, move || {
        started.send(Interrupt::current()).unwrap();
        released.recv().unwrap_err();
        Interrupt::current()
    });
    let interrupt = has_started.recv().unwrap();
    (offload, interrupt, release)
}

fn poll(requested: &mut Requested, waker: &Waker) -> Poll<()> {
    Pin::new(requested).poll(&mut Context::from_waker(waker))
}

#[test]
fn a_running_job_hears_the_first_reason() {
    let pool = ThreadPool::fixed(1);
    let (offload, interrupt, release) = running(&pool);
    assert!(interrupt.reason().is_none());
    interrupt.to_result().unwrap();
    assert!(!offload.cancel_with("the disk is full"));
    assert!(!offload.cancel_with(io::Error::other("another one")));
    assert!(!offload.cancel());
    let reason = interrupt.reason().unwrap();
    assert_eq!(reason.to_string(), "the disk is full");
    let interrupted = interrupt.to_result().unwrap_err();
    assert_eq!(
        interrupted.to_string(),
        "the job was asked to stop: the disk is full"
    );
    assert_eq!(
        interrupted.source().unwrap().to_string(),
        "the disk is full"
    );
    drop(release);
    assert!(block_on(offload).unwrap().is_requested(), "the value wins");
}

#[test]
fn a_request_without_a_reason_stays_without() {
    let pool = ThreadPool::fixed(1);
    let (offload, interrupt, release) = running(&pool);
    offload.cancel();
    offload.cancel_with("too late");
    assert!(interrupt.is_requested() && interrupt.reason().is_none());
    let interrupted = interrupt.to_result().unwrap_err();
    assert_eq!(interrupted.to_string(), "the job was asked to stop");
    assert!(interrupted.source().is_none());
    drop(release);
    block_on(offload).unwrap();
}

#[test]
fn check_ends_a_job_that_was_asked() {
    let pool = ThreadPool::fixed(1);
    let work = || -> io::Result<u8> {
        Interrupt::check()?;
        Ok(7)
    };
    assert_eq!(Busy::start(&pool, work).finish().unwrap().unwrap(), 7);
    let busy = Busy::start(&pool, work);
    busy.offload.cancel_with("enough");
    let error = busy.finish().unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::Other, "std does not try again");
    let interrupted = error.get_ref().unwrap().downcast_ref::<Interrupted>();
    assert_eq!(interrupted.unwrap().source().unwrap().to_string(), "enough");
    Interrupt::check().expect("outside of a job it goes on");
}

#[test]
fn the_reason_of_a_withdrawn_job_is_the_source_of_its_error() {
    let shelf = Shelf::default();
    let offload = offload_on(&shelf, || ());
    assert!(offload.cancel_with(io::Error::from(io::ErrorKind::StorageFull)));
    let error = block_on(offload).unwrap_err();
    assert!(error.is_cancelled());
    let source = error.source().unwrap().downcast_ref::<io::Error>().unwrap();
    assert_eq!(source.kind(), io::ErrorKind::StorageFull);
    assert!(error.to_string().contains(&source.to_string()), "{error}");
}

#[test]
fn every_listener_is_woken_by_the_request() {
    let pool = ThreadPool::fixed(1);
    let (offload, interrupt, release) = running(&pool);
    let (counts, mut listeners): (Vec<_>, Vec<_>) = (0..3)
        .map(|_| {
            let (count, waker) = Wakes::new();
            let mut requested = interrupt.requested();
            assert!(poll(&mut requested, &waker).is_pending());
            (count, (requested, waker))
        })
        .unzip();
    // The last waker of a listener is the one that is woken, and one that has gone is not.
    let (last, last_waker) = Wakes::new();
    assert!(poll(&mut listeners[0].0, &last_waker).is_pending());
    drop(listeners.remove(1));
    assert_eq!(
        Arc::strong_count(&counts[1]),
        1,
        "who goes takes its waker along"
    );
    offload.cancel();
    offload.cancel();
    let woken: Vec<_> = counts.iter().map(|count| count.get()).collect();
    assert_eq!((woken, last.get()), (vec![0, 0, 1], 1));
    for (mut requested, waker) in listeners {
        assert!(poll(&mut requested, &waker).is_ready());
        assert!(poll(&mut requested, &waker).is_ready(), "and ever after");
    }
    block_on(interrupt.requested());
    drop(release);
    block_on(offload).unwrap();
}

#[test]
fn a_dropped_future_is_a_request() {
    let pool = ThreadPool::fixed(1);
    let (offload, interrupt, release) = running(&pool);
    let (count, waker) = Wakes::new();
    let mut requested = interrupt.requested();
    assert!(poll(&mut requested, &waker).is_pending());
    drop(offload);
    assert_eq!(count.get(), 1);
    assert!(poll(&mut requested, &waker).is_ready());
    drop(release);
}

#[test]
fn a_job_that_ends_unasked_lets_go_of_its_listeners() {
    let pool = ThreadPool::fixed(1);
    let (offload, interrupt, release) = running(&pool);
    let (count, waker) = Wakes::new();
    let (mut before, mut silent) = (interrupt.requested(), interrupt.requested());
    assert!(poll(&mut before, &waker).is_pending());
    assert!(poll(&mut silent, &waker).is_pending());
    drop(release);
    block_on(offload).unwrap();
    assert!(pool.shutdown(Duration::MAX).is_clean());
    let mut after = interrupt.requested();
    for requested in [&mut before, &mut after] {
        assert!(poll(requested, &waker).is_pending());
    }
    drop(waker);
    assert_eq!(count.get(), 0);
    assert_eq!(Arc::strong_count(&count), 1, "nobody will wake them");
}

#[test]
fn listeners_that_panic_keep_nobody_from_hearing() {
    struct Mine;

    impl Wake for Mine {
        fn wake(self: Arc<Self>) {
            panic!("a waker's panic");
        }
    }

    let pool = ThreadPool::fixed(1);
    let (offload, interrupt, release) = running(&pool);
    let (count, waker) = Wakes::new();
    let mine = Waker::from(Arc::new(Mine));
    let mut listeners = [(); 3].map(|()| interrupt.requested());
    for (requested, waker) in listeners.iter_mut().zip([&mine, &waker, &mine]) {
        assert!(poll(requested, waker).is_pending());
    }
    assert!(!offload.cancel());
    assert_eq!(count.get(), 1);
    drop(release);
    block_on(offload).unwrap();
}

#[test]
fn outside_of_a_job_nobody_asks() {
    let (count, waker) = Wakes::new();
    let mut requested = Interrupt::current().requested();
    assert!(poll(&mut requested, &waker).is_pending());
    drop(waker);
    assert_eq!(Arc::strong_count(&count), 1);
    let polled =
        pin!(Interrupt::current().requested()).poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending());
}

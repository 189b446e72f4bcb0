//! One waiting task, many waking threads; the models of its races are in the crate.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::thread;

use ringloop_core::AtomicWaker;

use crate::block_on::block_on;
use crate::wakers::{Count, with_hook};

#[test]
fn a_wake_wakes_once_and_empties_the_place() {
    let place = AtomicWaker::new();
    let (count, waker) = Count::new();
    place.wake();
    place.register(&waker);
    assert_eq!(count.get(), 0);
    place.wake();
    place.wake();
    assert_eq!(count.get(), 1);
    assert!(place.take().is_none());
}

#[test]
fn the_last_registration_has_the_place() {
    let place = AtomicWaker::default();
    let (first, first_waker) = Count::new();
    let (last, last_waker) = Count::new();
    place.register(&first_waker);
    place.register(&last_waker);
    assert_eq!(Arc::strong_count(&first), 2, "the first waker was let go");
    place.wake();
    assert_eq!((first.get(), last.get()), (0, 1));
}

#[test]
fn a_taken_waker_is_the_callers() {
    let place = AtomicWaker::new();
    let (count, waker) = Count::new();
    place.register(&waker);
    let taken = place.take().unwrap();
    place.wake();
    assert_eq!(count.get(), 0);
    taken.wake();
    assert_eq!(count.get(), 1);
}

#[test]
fn a_place_drops_its_waker() {
    let place = AtomicWaker::new();
    let (count, waker) = Count::new();
    place.register(&waker);
    drop(waker);
    assert_eq!(Arc::strong_count(&count), 2);
    drop(place);
    assert_eq!(Arc::strong_count(&count), 1);
}

/// A waker that uses the place whenever anything is done to it finds the place usable.
#[test]
fn no_waker_is_touched_by_an_owner() {
    let place = Rc::new(AtomicWaker::new());
    let calls = Rc::new(Cell::new(0));
    let hook = {
        let place = Rc::clone(&place);
        let calls = Rc::clone(&calls);
        move |_| {
            calls.set(calls.get() + 1);
            place.register(Waker::noop());
            assert!(place.take().is_some(), "the place had an owner");
        }
    };
    with_hook(hook, |waker| {
        place.register(waker);
        place.register(Waker::noop());
        place.register(waker);
        place.wake();
    });
    assert_eq!(calls.get(), 6, "two clones, three drops, one wake");
}

#[test]
fn every_wake_of_many_threads_is_seen() {
    const THREADS: usize = 4;
    const WAKES: usize = 500;
    let shared = Arc::new((AtomicUsize::new(0), AtomicWaker::new()));
    let others: Vec<_> = (0..THREADS)
        .map(|_| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                for _ in 0..WAKES {
                    shared.0.fetch_add(1, Ordering::Relaxed);
                    shared.1.wake();
                }
            })
        })
        .collect();
    block_on(poll_fn(|cx| {
        shared.1.register(cx.waker());
        match shared.0.load(Ordering::Relaxed) == THREADS * WAKES {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }));
    for other in others {
        other.join().unwrap();
    }
}

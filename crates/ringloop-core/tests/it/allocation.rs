//! What allocates, and what does not.

#![expect(unsafe_code, reason = "an allocator that counts is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::{pending, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ringloop_core::future::{join, race};
use ringloop_core::{AtomicWaker, WaitKey, WaitList, postbox};

use crate::block_on::poll_once;
use crate::kinds::{Kind, Local, Remote};

/// The system's allocator, counting the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static RELEASES: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all calls go to the system's allocator unchanged; the counter does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        RELEASES.set(RELEASES.get() + 1);
        // SAFETY: the caller's contract is the same.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(body: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    body();
    ALLOCATIONS.get() - before
}

fn push_all(list: &WaitList, keys: &mut Vec<WaitKey>) {
    for _ in 0..keys.capacity() {
        keys.push(list.push(Waker::noop()));
    }
}

#[test]
fn a_wait_list_allocates_nothing_in_steady_state() {
    let list = WaitList::new();
    let mut keys = Vec::with_capacity(64);
    push_all(&list, &mut keys);
    list.wake_all();
    for key in keys.drain(..) {
        assert!(!list.remove(key));
    }
    let count = allocations(|| {
        for round in 0..10 {
            push_all(&list, &mut keys);
            for _ in 0..round {
                assert!(list.wake_one());
            }
            for key in keys.drain(..) {
                list.remove(key);
            }
        }
    });
    assert_eq!(count, 0);
}

#[test]
fn an_empty_wait_list_allocates_nothing() {
    assert_eq!(allocations(|| drop(WaitList::<()>::new())), 0);
}

#[test]
fn an_atomic_waker_allocates_nothing() {
    let count = allocations(|| {
        let place = AtomicWaker::new();
        place.register(Waker::noop());
        place.wake();
    });
    assert_eq!(count, 0);
}

#[test]
fn a_postbox_is_one_allocation() {
    let count = allocations(|| {
        let (setter, mut postbox) = postbox();
        assert_eq!(poll_once(&mut postbox, Waker::noop()), Poll::Pending);
        setter.set([0_u64; 8]).unwrap();
        assert!(poll_once(&mut postbox, Waker::noop()).is_ready());
    });
    assert_eq!(count, 1);
}

#[test]
fn combinators_allocate_nothing() {
    let count = allocations(|| {
        let joined = join!(ready(1), ready(2), ready(3));
        let raced = race!(pending(), pending(), ready(4));
        let both = pin!(join!(joined, raced));
        let polled = both.poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(polled, Poll::Ready(((1, 2, 3), 4)));
    });
    assert_eq!(count, 0);
}

/// How many allocations of `body` are left after it.
fn leaks(body: impl FnOnce()) -> usize {
    let released = RELEASES.get();
    let allocated = allocations(body);
    allocated - (RELEASES.get() - released)
}

/// Both ends go in both orders, with and without an answer, a waker and callbacks: nothing is left.
fn postbox_leaves_nothing<K: Kind<Box<u32>>>() {
    for case in 0..64_u32 {
        let [sets, polls, listens, takes_back, takes, setter_first] =
            [0, 1, 2, 3, 4, 5].map(|bit| case & 1 << bit != 0);
        let left = leaks(|| {
            let (setter, mut postbox) = K::pair();
            let captured = Box::new(7);
            if polls {
                assert!(poll_once(&mut postbox, Waker::noop()).is_pending());
            }
            if listens {
                let key = K::on_set(&mut postbox, Box::new(move |_| drop(captured)));
                K::on_set(&mut postbox, Box::new(|_| ()));
                assert!(!takes_back || K::remove_callback(&mut postbox, key));
            }
            if sets {
                assert!(K::try_set(&setter, Box::new(1)).is_ok());
                assert!(K::try_set(&setter, Box::new(2)).is_err());
            }
            if takes {
                assert_eq!(K::try_take(&mut postbox).is_some(), sets);
            }
            if setter_first {
                drop(setter);
                drop(postbox);
            } else {
                drop(postbox);
                drop(setter);
            }
        });
        assert_eq!(left, 0, "case {case:06b}");
    }
}

#[test]
fn postboxes_leave_nothing() {
    postbox_leaves_nothing::<Local>();
    postbox_leaves_nothing::<Remote>();
}

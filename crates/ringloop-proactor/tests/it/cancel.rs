use std::cell::RefCell;
use std::io::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::Handle;

use crate::rig::{Count, alone, open_fds, poll_once, poll_with, proactor, settle, tcp_pair};

#[test]
fn cancel_asks_and_the_answer_brings_the_buffer() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, _far) = tcp_pair();
    let near = handle.adopt(near);
    let mut recv = handle.recv(&near, vec![0; 100]);
    assert!(poll_once(&mut recv).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    recv.request_cancel();
    recv.request_cancel();
    let error = proactor.block_on(recv).unwrap().unwrap_err();
    assert_eq!(error.error.raw_os_error(), Some(libc::ECANCELED));
    assert_eq!(error.buffer.capacity(), 100);
    settle(&mut proactor);
}

#[test]
fn the_value_wins_when_it_came_before_the_cancel() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    let mut recv = handle.recv(&near, vec![0; 100]);
    assert!(poll_once(&mut recv).is_pending());
    far.write_all(b"won").unwrap();
    proactor.park(Some(Duration::from_secs(1))).unwrap();
    recv.request_cancel();
    let (count, buffer) = proactor.block_on(recv).unwrap().unwrap();
    assert_eq!((count, &buffer[..]), (3, &b"won"[..]));
}

#[test]
fn what_was_not_submitted_never_happens() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let before = proactor.stats().submissions;
    let mut dropped = handle.nop();
    assert!(poll_once(&mut dropped).is_pending());
    drop(dropped);
    let mut cancelled = handle.nop();
    assert!(poll_once(&mut cancelled).is_pending());
    cancelled.request_cancel();
    let Poll::Ready(result) = poll_once(&mut cancelled) else {
        panic!("it has ended")
    };
    assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::ECANCELED));
    let mut unpolled = handle.nop();
    unpolled.request_cancel();
    let Poll::Ready(result) = poll_once(&mut unpolled) else {
        panic!("it has ended")
    };
    assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::ECANCELED));
    assert_eq!(proactor.stats().live, 0);
    proactor.park(Some(Duration::ZERO)).unwrap();
    // The eventfd's poll is the only entry that went out.
    assert_eq!(proactor.stats().submissions - before, 1);
}

#[test]
fn a_dropped_receive_ends_by_itself() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, _far) = tcp_pair();
    let near = handle.adopt(near);
    for _ in 0..100 {
        let mut recv = handle.recv(&near, vec![0; 4096]);
        assert!(poll_once(&mut recv).is_pending());
        proactor.park(Some(Duration::ZERO)).unwrap();
        drop(recv);
        settle(&mut proactor);
    }
    let stats = proactor.stats();
    assert_eq!((stats.live, stats.stale_completions), (0, 0));
}

#[test]
fn results_that_nobody_takes_are_disposed_of() {
    if !alone("cancel::results_that_nobody_takes_are_disposed_of") {
        return;
    }
    let mut proactor = proactor();
    let handle = proactor.handle();
    proactor.block_on(handle.nop()).unwrap().unwrap();
    let before = open_fds();
    for round in 0..300 {
        let mut open = handle.open("/dev/null", libc::O_RDONLY, 0).unwrap();
        let mut socket = handle.socket(libc::AF_INET, libc::SOCK_STREAM, 0);
        assert!(poll_once(&mut open).is_pending());
        assert!(poll_once(&mut socket).is_pending());
        match round % 3 {
            0 => {} // Dropped before they are submitted.
            1 => proactor.park(Some(Duration::from_secs(1))).unwrap(), // Dropped completed.
            _ => {
                // Dropped while they are in flight, or cancelled first.
                open.request_cancel();
                proactor.park(Some(Duration::ZERO)).unwrap();
            }
        }
        drop((open, socket));
        settle(&mut proactor);
    }
    assert_eq!(open_fds(), before);
    assert_eq!(proactor.stats().live, 0);
}

#[test]
fn a_forgotten_future_leaves_the_memory_to_the_table() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    let mut recv = Box::new(handle.recv(&near, vec![0; 64]));
    assert!(poll_once(&mut recv).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    Box::leak(recv);
    far.write_all(b"late").unwrap();
    settle(&mut proactor);
    // Completed and never taken: it keeps its slot, and nothing else happens.
    assert_eq!(proactor.stats().live, 1);
}

#[test]
fn a_cancelled_operation_keeps_no_waker() {
    let proactor = proactor();
    let handle = proactor.handle();
    let count = Arc::<Count>::default();
    let mut nop = handle.nop();
    assert!(poll_with(&mut nop, &count).is_pending());
    nop.request_cancel();
    assert!(poll_with(&mut nop, &count).is_ready());
    drop(nop);
    assert_eq!(proactor.stats().live, 0);
    assert_eq!(
        Arc::strong_count(&count),
        1,
        "the table still holds the waker"
    );
}

#[test]
fn a_waker_may_use_the_handle_when_it_is_dropped() {
    thread_local! {
        static HANDLE: RefCell<Option<Handle>> = const { RefCell::new(None) };
    }
    struct Nosy;
    impl Wake for Nosy {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Nosy {
        fn drop(&mut self) {
            HANDLE.with_borrow(|h| h.as_ref().map(|h| h.stats()));
        }
    }
    let proactor = proactor();
    let handle = proactor.handle();
    HANDLE.set(Some(handle.clone()));
    let mut nop = handle.nop();
    {
        let waker = Waker::from(Arc::new(Nosy));
        let mut cx = Context::from_waker(&waker);
        assert!(Pin::new(&mut nop).poll(&mut cx).is_pending());
        nop.request_cancel();
        assert!(Pin::new(&mut nop).poll(&mut cx).is_ready());
    }
    drop(nop);
    let mut other = handle.nop();
    assert!(poll_once(&mut other).is_pending());
    drop(other);
    HANDLE.set(None);
}

#[test]
fn cancelling_what_was_not_submitted_wakes_who_waits() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let count = Arc::<Count>::default();
    let mut nop = handle.nop();
    assert!(poll_with(&mut nop, &count).is_pending());
    nop.request_cancel();
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert_eq!(count.get(), 1, "the future is ready and nobody was told");
}

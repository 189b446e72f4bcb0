//! User code (buffers, wakers) that uses the proactor while it is called by it.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Poll, Wake, Waker};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Handle, IoBuf, IoBufMut, Proactor, Room};

use crate::rig::{Count, poll_once, poll_with, proactor, settle, tcp_pair};

thread_local! {
    static HANDLE: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

/// Starts an operation and gives it up.
fn use_the_handle() {
    let handle = HANDLE.with_borrow(Option::clone);
    if let Some(handle) = handle {
        let mut nop = handle.nop();
        drop(poll_once(&mut nop));
        drop(nop);
        assert_eq!(handle.stats().stale_completions, 0);
    }
}

/// A waker that uses the proactor when it is woken and when it is dropped.
struct Nosy;

impl Wake for Nosy {
    fn wake(self: Arc<Self>) {
        use_the_handle();
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        use_the_handle();
    }
}

fn poll_nosily<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    let waker = Waker::from(Arc::new(Nosy));
    std::pin::Pin::new(future).poll(&mut std::task::Context::from_waker(&waker))
}

#[test]
fn wakers_may_use_the_proactor_when_they_are_woken_replaced_or_dropped() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    HANDLE.set(Some(handle.clone()));
    let mut dropped = handle.nop();
    assert!(poll_nosily(&mut dropped).is_pending());
    drop(dropped);
    let mut replaced = handle.nop();
    assert!(poll_nosily(&mut replaced).is_pending());
    assert!(poll_nosily(&mut replaced).is_pending());
    let (near, _far) = tcp_pair();
    let near = handle.adopt(near);
    let mut abandoned = handle.recv(&near, vec![0; 10]);
    assert!(poll_nosily(&mut abandoned).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    drop(abandoned);
    settle(&mut proactor);
    assert!(poll_nosily(&mut replaced).is_ready());
    let mut retired = handle.nop();
    assert!(poll_nosily(&mut retired).is_pending());
    assert_eq!(proactor.shut_down(), 0);
    assert!(poll_nosily(&mut retired).is_ready());
    HANDLE.set(None);
    assert_eq!(proactor.stats().live, 0);
}

/// A buffer that ends the proactor when it is asked for its bytes.
struct Ender(Rc<RefCell<Proactor>>);

impl IoBuf for Ender {
    fn as_slice(&self) -> &[u8] {
        self.0.borrow_mut().shut_down();
        b"never sent"
    }
}

#[test]
fn a_buffer_may_end_the_proactor_while_it_is_asked_for_its_bytes() {
    let proactor = Rc::new(RefCell::new(proactor()));
    let handle = proactor.borrow().handle();
    let (near, _far) = tcp_pair();
    let near = handle.adopt(near);
    let count = Arc::<Count>::default();
    let mut send = handle.send(&near, Ender(Rc::clone(&proactor)));
    if poll_with(&mut send, &count).is_pending() {
        assert_eq!(count.get(), 1, "whoever waits is told");
    }
    let Poll::Ready(Err(error)) = poll_with(&mut send, &count) else {
        panic!("it has ended")
    };
    assert_eq!(error.error.raw_os_error(), Some(libc::ECANCELED));
}

/// A buffer that panics when it is dropped.
struct Bomb(Vec<u8>);

impl IoBufMut for Bomb {
    fn room(&mut self) -> Room<'_> {
        self.0.room()
    }

    #[expect(unsafe_code, reason = "the trait's method is unsafe to call")]
    unsafe fn set_filled(&mut self, _len: usize) {}
}

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("this buffer panics when it is dropped");
    }
}

#[test]
fn a_buffer_that_panics_when_it_is_dropped_keeps_nobody_asleep() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, _far) = tcp_pair();
    let near = handle.adopt(near);
    let mut recv = handle.recv(&near, Bomb(vec![0; 10]));
    assert!(poll_once(&mut recv).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    drop(recv);
    // Ends in the same batch.
    let count = Arc::<Count>::default();
    let mut nop = handle.nop();
    assert!(poll_with(&mut nop, &count).is_pending());
    let mut panics = 0;
    for _ in 0..100 {
        let park = || proactor.park(Some(Duration::from_millis(10))).unwrap();
        panics += usize::from(catch_unwind(AssertUnwindSafe(park)).is_err());
        if panics > 0 && count.get() > 0 {
            break;
        }
    }
    assert_eq!((panics, count.get()), (1, 1));
    assert!(poll_once(&mut nop).is_ready());
    settle(&mut proactor);
    assert_eq!(proactor.stats().live, 0);
}

//! Wakers that stay with their streams while they wake.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::sync::{Arc, Weak};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::Receiver;

use crate::rig::{Count, poll_with, proactor, tcp_pair};

thread_local! {
    static RECEIVERS: RefCell<[Option<Receiver>; 2]> = const { RefCell::new([None, None]) };
    static WAKERS: RefCell<[Weak<DropsTheOther>; 2]> = const { RefCell::new([Weak::new(), Weak::new()]) };
    /// How many wakers were there still after the drop of their streams.
    static KEPT: Cell<u32> = const { Cell::new(0) };
}

/// Drops the other one's stream, and with it the registered waker of that, when it wakes.
struct DropsTheOther(usize);

impl Wake for DropsTheOther {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let other = 1 - self.0;
        let receiver = RECEIVERS.with_borrow_mut(|receivers| receivers[other].take());
        drop(receiver);
        let is_kept = WAKERS.with_borrow(|wakers| wakers[other].strong_count() > 0);
        KEPT.set(KEPT.get() + u32::from(is_kept));
    }
}

#[test]
fn a_waker_outlives_its_stream_while_it_may_be_woken() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let mut peers = Vec::new();
    for index in 0..2 {
        let (near, far) = tcp_pair();
        peers.push(far);
        let mut receiver = Receiver::new(handle.adopt(near));
        let wakes = Arc::new(DropsTheOther(index));
        WAKERS.with_borrow_mut(|wakers| wakers[index] = Arc::downgrade(&wakes));
        let waker = Waker::from(wakes);
        let mut cx = Context::from_waker(&waker);
        assert!(receiver.poll_read(&mut cx, &mut [0; 1]).is_pending());
        RECEIVERS.with_borrow_mut(|receivers| receivers[index] = Some(receiver));
    }
    proactor.park(Some(Duration::ZERO)).unwrap();
    for far in &mut peers {
        far.write_all(b"x").unwrap();
    }
    proactor.park(Some(Duration::from_secs(5))).unwrap();
    // Both came with one batch, and each was woken.
    assert_eq!(KEPT.get(), 2);
    let left = WAKERS.with_borrow(|wakers| wakers.each_ref().map(Weak::strong_count));
    assert_eq!(left, [0, 0]);
}

#[test]
fn a_reader_that_waits_again_is_woken_again() {
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    let mut receiver = Receiver::new(proactor.handle().adopt(near));
    let (count, other) = (Arc::<Count>::default(), Arc::<Count>::default());
    let mut buf = [0; 8];
    for round in 0..5 {
        assert!(poll_with(&mut Box::pin(receiver.read(&mut buf)), &count).is_pending());
        far.write_all(b"x").unwrap();
        proactor.park(Some(Duration::from_secs(5))).unwrap();
        assert_eq!(count.get(), round + 1);
        // Nobody waits: what comes now wakes nobody.
        far.write_all(b"y").unwrap();
        proactor.park(Some(Duration::from_secs(5))).unwrap();
        assert_eq!(count.get(), round + 1);
        assert!(poll_with(&mut Box::pin(receiver.read(&mut buf)), &count).is_ready());
    }
    assert!(poll_with(&mut Box::pin(receiver.read(&mut buf)), &other).is_pending());
    far.write_all(b"x").unwrap();
    proactor.park(Some(Duration::from_secs(5))).unwrap();
    assert_eq!((count.get(), other.get()), (5, 1));
    // Those that were registered go with the stream.
    drop(receiver);
    assert_eq!(
        (Arc::strong_count(&count), Arc::strong_count(&other)),
        (1, 1)
    );
}

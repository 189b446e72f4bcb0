//! Wakers of what threads share that panic: nothing is stranded, and nobody sleeps on.
//!
//! What is polled finds nothing, and finds it there after its waker was cloned: the clone is where
//! another thread would come in.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use ringloop_sync::shared::{self, TryRecvError, hosted};

use crate::support::{Task, TestHost};
use crate::wakers::{Act, with_hook, with_hooks};

/// Polls `future` with a waker, the clone of which panics when it is dropped. Cloning it calls
/// `meanwhile`.
fn poll_with_a_fuse<F: Future>(future: F, meanwhile: impl Fn() + 'static) {
    let mut future = pin!(future);
    let is_armed = Cell::new(false);
    let hook = move |act| match act {
        Act::Clone => {
            meanwhile();
            is_armed.set(true);
        }
        Act::Drop if is_armed.replace(false) => panic!("a waker's destructor panics"),
        Act::Drop | Act::Wake => {}
    };
    with_hooks(hook, |cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx).is_ready()));
        assert!(polled.unwrap_or(true), "it has not to wait");
    });
}

#[test]
fn a_lock_is_not_stranded() {
    static MUTEX: shared::Mutex<()> = shared::Mutex::new(());
    let held = Cell::new(MUTEX.try_lock());
    poll_with_a_fuse(MUTEX.lock(), move || drop(held.take()));
    assert!(!MUTEX.is_locked());
}

#[test]
fn a_permit_is_not_stranded() {
    static SEMAPHORE: shared::Semaphore = shared::Semaphore::new(0);
    poll_with_a_fuse(SEMAPHORE.acquire(), || SEMAPHORE.add_permits(1));
    assert_eq!(SEMAPHORE.available(), 1);
}

type Ends = LazyLock<(
    hosted::Sender<u32, TestHost>,
    hosted::Receiver<u32, TestHost>,
)>;

#[test]
fn a_receiver_is_called() {
    static ENDS: Ends = LazyLock::new(|| hosted::channel(1));
    let (sender, receiver) = &*ENDS;
    sender.try_send(1).unwrap();
    let other = Rc::new(RefCell::new(Task::new(receiver.recv())));
    let waits = Rc::clone(&other);
    poll_with_a_fuse(sender.send(2), move || {
        assert_eq!(receiver.try_recv(), Ok(1));
        waits.borrow_mut().waits();
    });
    assert_eq!(other.borrow_mut().ends(), Ok(2));
}

#[test]
fn a_sender_is_called() {
    static ENDS: Ends = LazyLock::new(|| hosted::channel(1));
    let (sender, receiver) = &*ENDS;
    let other = Rc::new(RefCell::new(Task::new(sender.send(2))));
    let waits = Rc::clone(&other);
    poll_with_a_fuse(receiver.recv(), move || {
        sender.try_send(1).unwrap();
        waits.borrow_mut().waits();
    });
    assert_eq!(other.borrow_mut().ends(), Ok(()));
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
}

/// Who goes wanted more than is there; its waker panics when it is dropped.
#[test]
fn who_waits_behind_one_that_goes_is_seen_to() {
    let semaphore = shared::Semaphore::new(1);
    let mut gone = Box::pin(semaphore.acquire_many(2));
    let mut behind = Task::new(semaphore.acquire());
    let is_armed = Rc::new(Cell::new(false));
    let fuse = Rc::clone(&is_armed);
    let panics = move || assert!(!fuse.replace(false), "a waker's destructor panics");
    with_hook(Act::Drop, panics, |cx| {
        assert!(gone.as_mut().poll(cx).is_pending());
        behind.waits();
        is_armed.set(true);
        let _may_panic = catch_unwind(AssertUnwindSafe(|| drop(gone)));
    });
    assert_eq!(behind.ends().num_permits(), 1);
}

/// The last receiver goes while a sender waits, whose waker panics.
#[test]
fn items_that_nobody_will_receive_are_dropped() {
    let (sender, receiver) = shared::channel(1);
    let item = Arc::new(());
    sender.try_send(Arc::clone(&item)).unwrap();
    let mut waits = Box::pin(sender.send(Arc::new(())));
    with_hook(
        Act::Wake,
        || panic!("a waker panics"),
        |cx| {
            assert!(waits.as_mut().poll(cx).is_pending());
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(receiver)));
            assert!(dropped.is_err());
        },
    );
    assert_eq!(Arc::strong_count(&item), 1);
}

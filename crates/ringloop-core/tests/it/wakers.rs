//! Wakers that tell what is done to them.

#![expect(
    unsafe_code,
    reason = "a waker that does something when it is cloned or dropped is raw"
)]

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{RawWaker, RawWakerVTable, Wake, Waker};

/// A waker that counts its wakes.
#[derive(Default)]
pub(crate) struct Count(AtomicUsize);

impl Count {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (Arc::clone(&count), Waker::from(count))
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// What is done to a hooked waker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Clone,
    Wake,
    Drop,
}

type Hook = Rc<dyn Fn(Event)>;

thread_local! {
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
}

/// Runs `body` with a waker that calls `hook` at every event. The hook may do what it likes, as
/// a foreign waker may.
pub(crate) fn with_hook<R>(hook: impl Fn(Event) + 'static, body: impl FnOnce(&Waker) -> R) -> R {
    HOOK.set(Some(Rc::new(hook)));
    let result = {
        // SAFETY: the functions of the table use no data, so they are sound with any pointer and
        // on any thread.
        let waker = unsafe { Waker::new(std::ptr::null(), &HOOKED) };
        body(&waker)
    };
    HOOK.set(None);
    result
}

fn call(event: Event) {
    let hook = HOOK.with_borrow(Option::clone);
    if let Some(hook) = hook {
        hook(event);
    }
}

static HOOKED: RawWakerVTable = RawWakerVTable::new(
    |_| {
        call(Event::Clone);
        RawWaker::new(std::ptr::null(), &HOOKED)
    },
    |_| {
        call(Event::Wake);
        call(Event::Drop);
    },
    |_| call(Event::Wake),
    |_| call(Event::Drop),
);

//! Wakers that run code of the test when they are cloned, woken and dropped.
//!
//! # Invariants
//!
//! - **W1** The data of each waker is an `Arc<Hooks>` of which the waker holds one count.

#![expect(unsafe_code, reason = "only such wakers notice that they are cloned")]

use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};

/// What a waker does.
#[derive(Clone, Copy)]
pub(crate) struct Hooks {
    pub(crate) on_clone: fn(),
    pub(crate) on_wake: fn(),
    pub(crate) on_drop: fn(),
}

impl Hooks {
    pub(crate) const NONE: Self = Self {
        on_clone: || (),
        on_wake: || (),
        on_drop: || (),
    };

    pub(crate) fn waker(self) -> Waker {
        let data = Arc::into_raw(Arc::new(self)).cast();
        // SAFETY: W1, the functions of the table do what wakers do.
        unsafe { Waker::new(data, &TABLE) }
    }
}

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// The hooks, with the count of a waker that goes away.
///
/// # Safety
///
/// `data` is a waker's (W1), which is not used again.
unsafe fn take(data: *const ()) -> Arc<Hooks> {
    // SAFETY: the caller's promise.
    unsafe { Arc::from_raw(data.cast()) }
}

/// # Safety
///
/// `data` is a waker's (W1).
unsafe fn look(data: *const ()) -> Hooks {
    // SAFETY: the caller's promise, and the waker is there during the call.
    unsafe { *data.cast() }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: W1.
    let hooks = unsafe { look(data) };
    (hooks.on_clone)();
    // SAFETY: W1, the count is the new waker's.
    unsafe { Arc::increment_strong_count(data.cast::<Hooks>()) };
    RawWaker::new(data, &TABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: W1, the waker is used up.
    let hooks = unsafe { take(data) };
    (hooks.on_wake)();
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: W1.
    let hooks = unsafe { look(data) };
    (hooks.on_wake)();
}

unsafe fn release(data: *const ()) {
    // SAFETY: W1, the waker is used up.
    let hooks = unsafe { take(data) };
    (hooks.on_drop)();
}

//! A waker that does something when it is cloned, woken or dropped, as a foreign one may.

#![expect(
    unsafe_code,
    reason = "a waker that does something when it is cloned or dropped is raw"
)]

use std::cell::RefCell;
use std::ptr;
use std::rc::Rc;
use std::task::{Context, RawWaker, RawWakerVTable, Waker};

/// What is done to the waker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    Clone,
    Wake,
    Drop,
}

type Hook = Rc<dyn Fn(Act)>;

thread_local! {
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
}

/// Runs `body` with a waker that calls `hook` whenever `act` is done to it.
pub(crate) fn with_hook<R>(
    act: Act,
    hook: impl Fn() + 'static,
    body: impl FnOnce(&mut Context<'_>) -> R,
) -> R {
    let hook = move |done| {
        if done == act {
            hook();
        }
    };
    with_hooks(hook, body)
}

/// Runs `body` with a waker that tells `hook` of whatever is done to it.
pub(crate) fn with_hooks<R>(
    hook: impl Fn(Act) + 'static,
    body: impl FnOnce(&mut Context<'_>) -> R,
) -> R {
    HOOK.set(Some(Rc::new(hook)));
    // SAFETY: the functions of the table use no data, so they are sound with any pointer and on
    // any thread.
    let waker = unsafe { Waker::new(ptr::null(), &HOOKED) };
    let result = body(&mut Context::from_waker(&waker));
    drop(waker);
    HOOK.set(None);
    result
}

fn call(act: Act) {
    let hook = HOOK.with_borrow(Option::clone);
    if let Some(hook) = hook {
        hook(act);
    }
}

static HOOKED: RawWakerVTable = RawWakerVTable::new(
    |_| {
        call(Act::Clone);
        RawWaker::new(ptr::null(), &HOOKED)
    },
    |_| {
        call(Act::Wake);
        call(Act::Drop);
    },
    |_| call(Act::Wake),
    |_| call(Act::Drop),
);

//! Which scheduler runs on this thread.
//!
//! Two addresses in thread-local storage without a destructor, so that a look costs two loads
//! and works until the very end of the thread. They are set while a scheduler runs (`block_on`,
//! `shutdown`, its drop) and null otherwise; a second scheduler cannot run inside the first.
//!
//! # Invariants
//!
//! * **I1** While the cells are not null, an [`Entered`] on this thread's stack keeps the `Home`
//!   alive: it holds a counted reference, it is private to the crate and never forgotten, and
//!   every user of the address runs above it on the same stack.
//!
//! * **I2** Without a scheduler the gate is [`NO_GATE`], which no task has. So if the gate is that of
//!   a task, the cells are not null.
//!
//! # Ease
//!
//! A wait that begins asks three things: is a scope around it cancelled, is its task, and is there
//! something left of the budget? Mostly there is no scope, and the answers are the same for all
//! waits of a poll. So what is left of the budget is lent to the thread-local, as *ease*, while all
//! that is so, and such a wait begins by taking a piece of it. Whatever changes one of the
//! answers takes the ease back first ([`Home::recall`]); then waits look for themselves.
//!
//! * **E1** While there is ease, a task of the scheduler that runs on this thread is being polled, is
//!   not asked to cancel, and no scope is around it. What is lent counts as spent.

#![expect(
    unsafe_code,
    reason = "the thread-local holds an address, for the speed of a wake"
)]

use std::cell::Cell;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use crate::gate::Gate;
use crate::home::Home;
use crate::sync::plain_thread_local;

struct Current {
    gate: Cell<*const Gate>,
    home: Cell<*const Home>,
    /// Whether that is in debug mode.
    is_debugged: Cell<bool>,
    /// How many waits may begin without a look (E1).
    ease: Cell<u32>,
}

plain_thread_local! {
    static CURRENT: Current = Current {
        gate: Cell::new(NO_GATE),
        home: Cell::new(ptr::null()),
        is_debugged: Cell::new(false),
        ease: Cell::new(0),
    };
}

/// In place of a gate: an address that is not aligned.
const NO_GATE: *const Gate = ptr::without_provenance(1);

/// Returns whether a loop runs on this thread. Counterpart: `asyncio.get_running_loop`.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, is_running};
///
/// assert!(!is_running());
/// Scheduler::new(ThreadDriver::new()).block_on(async { assert!(is_running()) });
/// ```
#[must_use]
#[doc(alias = "get_running_loop")]
pub fn is_running() -> bool {
    CURRENT.with(|current| !current.home.get().is_null())
}

/// Runs `f` with the scheduler that runs on this thread, if one does.
#[inline(always)]
pub(crate) fn with_home<R>(f: impl FnOnce(&Home) -> R) -> Option<R> {
    let home = CURRENT.with(|current| current.home.get());
    // SAFETY: I1.
    let home = unsafe { home.as_ref() }?;
    Some(f(home))
}

/// Returns whether the scheduler that runs on this thread, if one does, is in debug mode.
#[inline(always)]
pub(crate) fn is_debugged() -> bool {
    CURRENT.with(|current| current.is_debugged.get())
}

/// Takes a piece of the ease. `false`: there is none, and the wait has to look.
#[inline(always)]
pub(crate) fn take_ease() -> bool {
    CURRENT.with(|current| {
        let left = current.ease.get().checked_sub(1);
        left.inspect(|&left| current.ease.set(left)).is_some()
    })
}

/// Runs `f` with the scheduler that runs on this thread, if there is ease: then a task is being
/// polled that is not cancelled.
#[inline(always)]
pub(crate) fn with_home_at_ease<R>(f: impl FnOnce(&Home) -> R) -> Option<R> {
    let home = CURRENT.with(|current| (current.ease.get() > 0).then(|| current.home.get()))?;
    // SAFETY: E1, a scheduler runs; I1.
    Some(f(unsafe { &*home }))
}

/// Whether a wait need not look for a cancellation.
#[inline(always)]
pub(crate) fn has_ease() -> bool {
    CURRENT.with(|current| current.ease.get() > 0)
}

/// Sets how much ease there is; returns how much there was. For [`Home`], which knows E1.
#[inline(always)]
pub(crate) fn replace_ease(pieces: u32) -> u32 {
    CURRENT.with(|current| current.ease.replace(pieces))
}

/// Runs `f` with the scheduler of `gate`, if that is the one that runs on this thread.
#[inline(always)]
pub(crate) fn with_home_of<R>(gate: *const Gate, f: impl FnOnce(&Home) -> R) -> Option<R> {
    CURRENT.with(|current| {
        // SAFETY: I1 and I2.
        (current.gate.get() == gate).then(|| f(unsafe { &*current.home.get() }))
    })
}

/// Makes `home` the scheduler of this thread until the guard is dropped.
///
/// # Panics
///
/// If a scheduler runs already.
#[track_caller]
pub(crate) fn enter(home: &Rc<Home>) -> Entered {
    assert!(!is_running(), "cannot start a loop inside a loop");
    CURRENT.with(|current| {
        let home = Rc::clone(home);
        current.gate.set(Arc::as_ptr(&home.gate));
        current.home.set(Rc::as_ptr(&home));
        current.is_debugged.set(home.is_debugged());
        Entered {
            previous: (NO_GATE, ptr::null(), false),
            _home: home,
        }
    })
}

/// The same for the drop of a scheduler, which may come while another one runs.
pub(crate) fn enter_nested(home: &Rc<Home>) -> Entered {
    with_home(Home::recall);
    CURRENT.with(|current| {
        let home = Rc::clone(home);
        let previous = (
            current.gate.replace(Arc::as_ptr(&home.gate)),
            current.home.get(),
            current.is_debugged.replace(home.is_debugged()),
        );
        current.home.set(Rc::as_ptr(&home));
        Entered {
            previous,
            _home: home,
        }
    })
}

/// A scheduler runs on this thread.
pub(crate) struct Entered {
    previous: (*const Gate, *const Home, bool),
    _home: Rc<Home>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.with(|current| {
            // Nobody is polled by this loop any more, and an outer one has taken its own back.
            current.ease.set(0);
            current.gate.set(self.previous.0);
            current.home.set(self.previous.1);
            current.is_debugged.set(self.previous.2);
        });
    }
}

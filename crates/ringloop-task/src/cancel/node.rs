//! One scope, as the waits inside it see it.
//!
//! A scope's future makes its node the current one while it polls its body, so a wait finds all
//! scopes that it is in by walking up from the current one. Nothing is registered anywhere in the
//! usual case: cancelling a scope wakes the task, the poll comes down through the scopes, and the
//! wait looks. Only a wait that is polled with a waker of its own (by a collection of futures)
//! has to be filed with the scopes around it.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::notice::Notices;
use super::reason::{Cancelled, Reason};
use super::token::CancelToken;
use crate::context;
use crate::home::Home;
use crate::task::{self, TaskPtr};
use crate::waker_set::{self, WakerSet};

/// The state of one scope.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// The scope around this one, as of the last poll.
    pub(super) parent: RefCell<Option<Rc<Self>>>,
    /// Whether cancellation from outside stays out.
    pub(super) is_shield: Cell<bool>,
    /// Whether cancellation from outside is told inside under a name of the node's own: what came
    /// out of this region can be told from what came out of others around it.
    pub(super) is_boundary: Cell<bool>,
    /// Whether the deadline has passed.
    pub(super) has_expired: Cell<bool>,
    /// What cancels the scope from anywhere, if it was asked for.
    pub(super) token: OnceCell<CancelToken>,
    /// What the waits inside are told.
    pub(super) notices: RefCell<Notices>,
    /// Waits inside that are polled with wakers of their own.
    pub(super) foreign: RefCell<WakerSet>,
    /// How many things inside have to be waited for, although the scope is cancelled.
    pub(super) stays: Cell<u32>,
    /// When the scope is cancelled, as far as it is known.
    pub(super) deadline: Cell<Option<Instant>>,
    /// Whether a handle has moved the deadline since the last poll.
    pub(super) has_moved: Cell<bool>,
    /// Whether the scope's own cancellation ended the body.
    pub(super) is_caught: Cell<bool>,
    /// Whether a body that cannot be told is dropped alone, also if a scope around is cancelled.
    pub(super) is_alone: Cell<bool>,
    /// Whether the body has ended or was dropped.
    pub(super) is_left: Cell<bool>,
    /// Whether there is, or was, a handle, which wants the waker below.
    pub(super) has_handle: Cell<bool>,
    /// Who polls the scope, for its handles.
    pub(super) waker: RefCell<Option<Waker>>,
}

impl Node {
    /// Returns whether the scope itself is cancelled.
    pub(super) fn is_cancelled(&self) -> bool {
        self.has_expired.get() || self.token.get().is_some_and(CancelToken::is_cancelled)
    }

    /// Whether neither the scope is cancelled, nor one around it up to a shield, nor `task`, which is
    /// around all of them.
    ///
    /// By reference all the way: most scopes are never cancelled, and this is asked at every wait.
    fn is_quiet(&self, task: TaskPtr) -> bool {
        if self.is_cancelled() {
            return false;
        }
        if self.is_shield.get() {
            return true;
        }
        match &*self.parent.borrow() {
            Some(parent) => parent.is_quiet(task),
            None => !task::is_requested(task),
        }
    }

    /// Returns why the scope is cancelled, if it is.
    pub(super) fn reason(&self) -> Option<Reason> {
        let by_token = self.token.get().and_then(CancelToken::reason);
        by_token.or_else(|| self.has_expired.get().then(Reason::deadline))
    }

    /// Returns what the waits inside are told.
    pub(crate) fn cancelled(&self) -> Cancelled {
        let reason = || self.reason().unwrap_or_else(Reason::deadline);
        self.notices.borrow_mut().cancelled(reason)
    }

    /// Returns what the waits inside of a boundary are told when `outer` comes in from outside.
    pub(crate) fn pass_on(&self, outer: &Cancelled) -> Cancelled {
        self.notices.borrow_mut().passed_on(outer)
    }

    /// Returns whether an error that tells of the node's cancellation is alive.
    pub(crate) fn is_out(&self) -> bool {
        self.notices.borrow().are_out()
    }

    /// Forgets what the waits inside were told, so that it keeps nothing outside alive.
    pub(crate) fn forget(&self) {
        let notices = self.notices.take();
        drop(notices);
    }

    /// Whether a body that cannot be told is dropped alone, also if a scope around is cancelled.
    pub(super) fn ends_alone(&self) -> bool {
        self.is_alone.get() || self.is_boundary.get()
    }

    /// Wakes the waits that are polled with wakers of their own.
    pub(super) fn wake_foreign(&self) {
        waker_set::wake_filed(&self.foreign);
    }

    /// Keeps the waker of the last poll for the scope's handles.
    pub(super) fn keep_waker(&self, waker: &Waker) {
        let kept = self.waker.take();
        let kept = match kept {
            Some(kept) if kept.will_wake(waker) => kept,
            other => {
                drop(other);
                waker.clone()
            }
        };
        self.waker.replace(Some(kept));
    }

    /// Has the scope polled.
    pub(super) fn wake(&self) {
        let waker = self.waker.borrow().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The scope is no more; its handles may be.
    pub(super) fn leave(&self) {
        self.is_left.set(true);
        let waker = self.waker.take();
        drop(waker);
    }

    /// Makes the node as good as a new one.
    pub(crate) fn reset(&mut self) {
        self.parent.take();
        self.is_shield.set(false);
        self.is_boundary.set(false);
        self.has_expired.set(false);
        self.token.take();
        self.notices.get_mut().clear();
        self.foreign.get_mut().reset();
        debug_assert_eq!(self.stays.get(), 0, "what stays holds the node");
        self.deadline.set(None);
        self.has_moved.set(false);
        self.is_caught.set(false);
        self.is_alone.set(false);
        self.is_left.set(false);
        self.has_handle.set(false);
        self.waker.take();
    }
}

/// Whether a wait of `task`, which is running, is surely not cancelled: a quick look.
#[inline]
pub(super) fn may_go_on(home: &Home, task: TaskPtr) -> bool {
    home.scope.borrow().is_none() && !task::is_requested(task)
}

/// The same by a look at all scopes around.
#[inline(never)]
pub(super) fn is_quiet(home: &Home, task: TaskPtr) -> bool {
    match &*home.scope.borrow() {
        Some(node) => node.is_quiet(task),
        None => !task::is_requested(task),
    }
}

/// Returns what a wait that is begun here and now has to say: `Err` in a cancelled scope or task.
///
/// The outermost cancelled scope is the one that reports, so that it, and no scope inside it,
/// recognizes the cancellation as its own.
#[inline]
pub(super) fn check(home: &Home) -> Result<(), Cancelled> {
    let Some(task) = home.current.get() else {
        return Ok(());
    };
    if may_go_on(home, task) || is_quiet(home, task) {
        return Ok(());
    }
    match cancelled_here(home) {
        None => Ok(()),
        Some(cancelled) => deny(home, cancelled),
    }
}

/// The same for a wait that can be put off: `Pending`, with the task woken, where [`check`] lets it
/// through, so that what is there for it stays there.
#[cold]
pub(super) fn poll_check(home: &Home, cx: &mut Context<'_>) -> Poll<Result<(), Cancelled>> {
    let Some(cancelled) = cancelled_here(home) else {
        return Poll::Ready(Ok(()));
    };
    match deny(home, cancelled) {
        Ok(()) => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        Err(cancelled) => Poll::Ready(Err(cancelled)),
    }
}

/// Returns what there is to be said here and now, if anything is cancelled.
#[cold]
fn cancelled_here(home: &Home) -> Option<Cancelled> {
    let task = home.current.get()?;
    let (outermost, is_shielded) = outermost_cancelled(home);
    let requested = if is_shielded {
        None
    } else {
        task::requested(task)
    };
    let (cancelled, at) = match requested {
        Some(cancelled) => (cancelled, None),
        None => outermost.map(|node| (node.cancelled(), Some(node)))?,
    };
    Some(pass_in(home, cancelled, at.as_ref()))
}

/// Returns what `cancelled`, of the scope `at` or of the task, is called here: every boundary on
/// the way in gives it a name of its own.
fn pass_in(home: &Home, cancelled: Cancelled, at: Option<&Rc<Node>>) -> Cancelled {
    let mut boundaries = Vec::new();
    let mut next = home.scope.borrow().clone();
    while let Some(node) = next
        && !at.is_some_and(|at| Rc::ptr_eq(at, &node))
    {
        next = node.parent.borrow().clone();
        if node.is_boundary.get() {
            boundaries.push(node);
        }
    }
    let inwards = boundaries.iter().rev();
    inwards.fold(cancelled, |outer, node| node.pass_on(&outer))
}

/// Returns whether `nodes` are all the scopes around what is polled now, from the inside out; or, if
/// `to_shield` says so, those to the first shield.
pub(super) fn are_around<'a>(
    home: &Home,
    mut nodes: impl Iterator<Item = &'a Rc<Node>>,
    to_shield: bool,
) -> bool {
    let mut next = home.scope.borrow().clone();
    while let Some(node) = next {
        if !nodes.next().is_some_and(|then| Rc::ptr_eq(then, &node)) {
            return false;
        }
        if to_shield && node.is_shield.get() {
            break;
        }
        next = node.parent.borrow().clone();
    }
    nodes.next().is_none()
}

/// Walks from the current scope outwards, to the first shield. Returns the last cancelled scope,
/// and whether there was a shield.
fn outermost_cancelled(home: &Home) -> (Option<Rc<Node>>, bool) {
    let mut found = None;
    let mut next = home.scope.borrow().clone();
    while let Some(node) = next {
        if node.is_cancelled() {
            found = Some(Rc::clone(&node));
        }
        if node.is_shield.get() {
            return (found, true);
        }
        next = node.parent.borrow().clone();
    }
    (found, false)
}

/// Returns whether a scope around `node`, which is a child of the current one, or the task is
/// cancelled, so that `node` itself is not the one that reports.
pub(super) fn is_cancelled_around(home: &Home, node: &Node) -> bool {
    if node.is_shield.get() {
        return false;
    }
    let (outermost, is_shielded) = outermost_cancelled(home);
    let is_ending = |task| task::is_requested(task) && !task::is_main(task);
    outermost.is_some() || (!is_shielded && home.current.get().is_some_and(is_ending))
}

/// Says no, but not without end: a task that ignores the answer and waits again in one and the
/// same poll would hold the loop for ever. After many of them the wait is let through once, with
/// the task woken, so that the loop comes round.
#[cold]
fn deny(home: &Home, cancelled: Cancelled) -> Result<(), Cancelled> {
    let denied = home.counts.denied.get() + 1;
    if denied & !LET_THROUGH < DENIED_MAX {
        home.counts.denied.set(denied);
        return Err(cancelled);
    }
    home.counts.denied.set(LET_THROUGH);
    if let Some(task) = home.current.get() {
        task.schedule(home);
    }
    Ok(())
}

/// The flag in the counter of denied waits that says that one was let through in this poll.
const LET_THROUGH: u32 = 1 << 31;

impl Home {
    /// Notes that the current poll ends with a wait that is let through.
    pub(crate) fn let_through(&self) {
        let denied = &self.counts.denied;
        denied.set(denied.get() | LET_THROUGH);
    }

    /// Returns whether a wait was let through in the current poll, although it is cancelled.
    pub(crate) fn has_let_through(&self) -> bool {
        self.counts.denied.get() & LET_THROUGH != 0
    }
}

/// How many waits of one poll are told that they are cancelled before the loop goes on.
const DENIED_MAX: u32 = 1000;

/// Returns what a wait that is begun here and now has to say: `Err` in a cancelled scope or task.
/// For the beginning of operations, which do nothing when cancelled (C4). `Ok` outside of tasks.
///
/// # Errors
///
/// `Cancelled` if a scope around, up to a shield, or the task is cancelled.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, cancel, task};
///
/// Scheduler::new(ThreadDriver::new()).block_on(async {
///     assert!(cancel::check_cancelled().is_ok());
///     task::current().unwrap().cancel("enough");
///     assert!(cancel::check_cancelled().is_err());
/// });
/// ```
#[inline]
pub fn check_cancelled() -> Result<(), Cancelled> {
    context::with_home(check).unwrap_or(Ok(()))
}

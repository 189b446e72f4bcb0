//! A scope that is being run.
//!
//! While its body is polled, the scope's node is the current one. The deadline is a timer, and the
//! token a registration, that wake the task; the scope finds out when the poll comes down to it,
//! before its body does.
//!
//! A body that was told, or would have been, and comes back pending with nothing inside that has to
//! be waited for, is parked on futures that know nothing of scopes. It is dropped: that is the only
//! way to end those.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;

use super::node::{self, Node};
use super::reason::Reason;
use super::scope::ScopeExit;
use super::stay::Stay;
use super::token_wait::TokenWait;
use crate::context;
use crate::home::Home;
use crate::task;
use crate::time::{TimerEntry, When};

pin_project! {
    /// Runs a body in a scope; see [`CancelScope::run`](super::CancelScope::run).
    #[must_use = "futures do nothing unless awaited"]
    pub struct RunScoped<F> {
        // Before the scope: what the body has filed with the scope goes first.
        #[pin]
        body: Option<F>,
        core: ScopeCore,
    }
}

impl<F> RunScoped<F> {
    pub(super) fn new(node: Rc<Node>, deadline: Option<When>, body: F) -> Self {
        Self {
            body: Some(body),
            core: ScopeCore::new(node, deadline),
        }
    }
}

impl<F: Future> Future for RunScoped<F> {
    type Output = ScopeExit<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(body) = this.body.as_mut().as_pin_mut() else {
            panic!("a scope was polled after it was left")
        };
        this.core.before(cx);
        let polled = {
            let _inside = Inside::enter(&this.core.node);
            body.poll(cx)
        };
        if let Poll::Ready(value) = polled {
            return Poll::Ready(this.core.exit(value));
        }
        this.core.after(cx);
        match this.core.give_up(cx) {
            None => Poll::Pending,
            Some(reason) => {
                this.body.set(None);
                Poll::Ready(ScopeExit::Cancelled(reason))
            }
        }
    }
}

impl<F> fmt::Debug for RunScoped<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunScoped")
            .field("scope", &self.core.node)
            .finish_non_exhaustive()
    }
}

/// A scope that is being run: its node, and what wakes the task when it is cancelled.
struct ScopeCore {
    node: Rc<Node>,
    /// The deadline before the first poll.
    deadline: Option<When>,
    timer: Option<TimerEntry>,
    wait: Option<TokenWait>,
    /// A shield is waited for by what is around it.
    stay: Option<Stay>,
    /// Whether the waits inside have been told.
    has_told: bool,
    /// How often a body that woke itself is polled again before it is dropped.
    patience: u32,
}

impl ScopeCore {
    fn new(node: Rc<Node>, deadline: Option<When>) -> Self {
        Self {
            node,
            deadline,
            timer: None,
            wait: None,
            stay: None,
            has_told: false,
            patience: PATIENCE,
        }
    }

    /// Before the body is polled: finds the scope around, and whether this one is cancelled.
    fn before(&mut self, cx: &Context<'_>) {
        let found = context::with_home(|home| {
            self.nest(home);
            if let Some(deadline) = self.deadline.take()
                && !self.node.has_moved.get()
            {
                let now = home.now();
                self.node.deadline.set(deadline.instant(now));
                self.arm(home, now, cx);
            }
            let is_elsewhere = |timer: &TimerEntry| !timer.is_of(home);
            if self.node.has_moved.get() || self.timer.as_ref().is_some_and(is_elsewhere) {
                self.arm(home, home.now(), cx);
            }
        });
        assert!(found.is_some(), "a scope runs inside a running loop");
        if self.timer.as_ref().is_some_and(TimerEntry::has_fired) {
            self.timer = None;
            self.node.has_expired.set(true);
        }
        if !self.has_told && self.node.is_cancelled() {
            self.has_told = true;
            self.node.wake_foreign();
        }
    }

    /// Makes the current scope the parent.
    fn nest(&mut self, home: &Home) {
        let scope = home.scope.borrow();
        let mut parent = self.node.parent.borrow_mut();
        let is_same = match (&*scope, &*parent) {
            (Some(scope), Some(parent)) => Rc::ptr_eq(scope, parent),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !is_same {
            parent.clone_from(&scope);
        }
        drop((scope, parent));
        if !is_same {
            // Waits inside that are polled with wakers of their own have filed them elsewhere.
            self.node.wake_foreign();
        }
        if self.stay.is_some() || self.node.is_shield.get() {
            self.hold(home);
        }
    }

    /// A shield is waited for by what is around it, which need not be what was around it before.
    #[cold]
    fn hold(&mut self, home: &Home) {
        if !self.node.is_shield.get() {
            self.stay = None;
        } else if !self.stay.as_ref().is_some_and(|stay| stay.fits(home)) {
            self.stay = Some(Stay::here(home));
        }
    }

    /// Sets the timer, or finds the deadline past.
    fn arm(&mut self, home: &Home, now: Instant, cx: &Context<'_>) {
        self.node.has_moved.set(false);
        self.timer = None;
        let Some(deadline) = self.node.deadline.get() else {
            return;
        };
        if deadline <= now {
            self.node.has_expired.set(true);
        } else {
            self.timer = home.timers.insert(deadline, cx.waker());
        }
    }

    /// After a body that is not done: sees to it that a cancellation wakes the task.
    fn after(&mut self, cx: &Context<'_>) {
        if let Some(timer) = &self.timer {
            timer.update(cx.waker());
        }
        if self.node.has_handle.get() {
            self.node.keep_waker(cx.waker());
            context::with_home(|home| {
                if self.node.has_moved.get() {
                    self.arm(home, home.now(), cx);
                }
                self.hold(home);
            });
        }
        if let Some(token) = self.node.token.get() {
            self.wait
                .get_or_insert_with(|| TokenWait::new(token.clone()))
                .poll(cx);
        }
        if !self.has_told && self.node.is_cancelled() {
            // Cancelled meanwhile: the body has to be polled once more to notice.
            cx.waker().wake_by_ref();
        }
    }

    /// Whether the body, which is not done, has to be dropped, and why.
    #[inline]
    fn give_up(&mut self, cx: &Context<'_>) -> Option<Reason> {
        if self.has_told {
            self.give_up_told(cx)
        } else {
            None
        }
    }

    #[cold]
    fn give_up_told(&mut self, cx: &Context<'_>) -> Option<Reason> {
        let gives_up = context::with_home(|home| {
            let task = home.current.get()?;
            if self.node.stays.get() > 0
                || home.has_let_through()
                // The outermost reports; what is inside goes with it, but for a region around which
                // something goes on.
                || !self.node.ends_alone() && node::is_cancelled_around(home, &self.node)
            {
                return None;
            }
            if task::is_scheduled(task) && self.patience > 0 {
                self.patience -= 1;
                if !task::is_waker_of(cx.waker(), task) {
                    // Perhaps it was something else in this task that was woken, and nobody would
                    // poll this scope again. To have that done is to be woken, hence the haste.
                    self.patience /= 2;
                    cx.waker().wake_by_ref();
                }
                return None;
            }
            Some(())
        });
        gives_up.flatten()?;
        self.node.is_caught.set(true);
        self.node.reason()
    }

    /// The body is done: was it this scope that ended it?
    fn exit<T>(&mut self, value: T) -> ScopeExit<T> {
        // The future may be kept, although it is done.
        self.stay = None;
        // An error of ours that is alive outside of the node is in the value: the body is done,
        // its locals are gone, and what a task was passed on is not counted.
        if !self.node.notices.borrow().are_out() {
            return ScopeExit::Done(value);
        }
        match self.node.reason() {
            Some(reason) => {
                self.node.is_caught.set(true);
                ScopeExit::Cancelled(reason)
            }
            None => ScopeExit::Done(value),
        }
    }
}

impl Drop for ScopeCore {
    fn drop(&mut self) {
        self.wait = None;
        self.timer = None;
        self.stay = None;
        self.node.leave();
        context::with_home(|home| home.give_node(&mut self.node));
    }
}

/// The body of a scope is being polled.
struct Inside;

impl Inside {
    fn enter(node: &Rc<Node>) -> Self {
        context::with_home(|home| {
            home.recall();
            home.scope.replace(Some(Rc::clone(node)))
        });
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        context::with_home(|home| {
            let node = home.scope.take();
            let parent = node.and_then(|node| node.parent.borrow().clone());
            home.scope.replace(parent);
            home.lend();
        });
    }
}

/// How often a cancelled body that wakes itself is polled again before it is dropped.
pub(crate) const PATIENCE: u32 = 1000;

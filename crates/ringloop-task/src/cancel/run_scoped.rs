//! A scope that is being run.
//!
//! While its body is polled, the scope's node is the current one. The deadline is a timer, and the
//! token a registration, that wake the task; the scope finds out when the poll comes down to it,
//! before its body does.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::node::Node;
use super::scope::ScopeExit;
use super::token_wait::TokenWait;
use crate::context;
use crate::home::Home;
use crate::time::{TimerEntry, When};

pin_project! {
    /// Runs a body in a scope; see [`CancelScope::run`](super::CancelScope::run).
    #[must_use = "futures do nothing unless awaited"]
    pub struct RunScoped<F> {
        // Before the scope: what the body has filed with the scope goes first.
        #[pin]
        body: F,
        core: ScopeCore,
    }
}

impl<F> RunScoped<F> {
    pub(super) fn new(node: Rc<Node>, deadline: Option<When>, body: F) -> Self {
        Self {
            body,
            core: ScopeCore::new(node, deadline),
        }
    }
}

impl<F: Future> Future for RunScoped<F> {
    type Output = ScopeExit<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.core.before(cx);
        let polled = {
            let _inside = Inside::enter(&this.core.node);
            this.body.poll(cx)
        };
        match polled {
            Poll::Ready(value) => Poll::Ready(this.core.exit(value)),
            Poll::Pending => {
                this.core.after(cx);
                Poll::Pending
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
    deadline: Option<When>,
    timer: Option<TimerEntry>,
    wait: Option<TokenWait>,
    /// Whether the waits inside have been told.
    has_told: bool,
}

impl ScopeCore {
    fn new(node: Rc<Node>, deadline: Option<When>) -> Self {
        Self {
            node,
            deadline,
            timer: None,
            wait: None,
            has_told: false,
        }
    }

    /// Before the body is polled: finds the scope around, and whether this one is cancelled.
    fn before(&mut self, cx: &Context<'_>) {
        let found = context::with_home(|home| {
            self.nest(home);
            if let Some(deadline) = self.deadline.take() {
                self.start(home, deadline, cx);
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
    fn nest(&self, home: &Home) {
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
    }

    /// The first poll: begins to count, or finds the deadline past.
    fn start(&mut self, home: &Home, deadline: When, cx: &Context<'_>) {
        let now = home.now();
        match deadline.instant(now) {
            None => {}
            Some(deadline) if deadline <= now => self.node.has_expired.set(true),
            Some(deadline) => self.timer = home.timers.insert(deadline, cx.waker()),
        }
    }

    /// After a body that is not done: sees to it that a cancellation wakes the task.
    fn after(&mut self, cx: &Context<'_>) {
        if let Some(timer) = &self.timer {
            timer.update(cx.waker());
        }
        let Some(token) = self.node.token.get() else {
            return;
        };
        let wait = self
            .wait
            .get_or_insert_with(|| TokenWait::new(token.clone()));
        if wait.poll(cx).is_some() && !self.has_told {
            // Cancelled meanwhile: the body has to be polled once more to notice.
            cx.waker().wake_by_ref();
        }
    }

    /// The body is done: was it this scope that ended it?
    fn exit<T>(&self, value: T) -> ScopeExit<T> {
        // An error of ours that is alive outside of the node is in the value: the body is done,
        // its locals are gone, and what a task was passed on is not counted.
        if !self.node.notices.borrow().are_out() {
            return ScopeExit::Done(value);
        }
        match self.node.reason() {
            Some(reason) => ScopeExit::Cancelled(reason),
            None => ScopeExit::Done(value),
        }
    }
}

impl Drop for ScopeCore {
    fn drop(&mut self) {
        self.wait = None;
        self.timer = None;
        context::with_home(|home| home.give_node(&mut self.node));
    }
}

/// The body of a scope is being polled.
struct Inside;

impl Inside {
    fn enter(node: &Rc<Node>) -> Self {
        context::with_home(|home| home.scope.replace(Some(Rc::clone(node))));
        Self
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        context::with_home(|home| {
            let node = home.scope.take();
            let parent = node.and_then(|node| node.parent.borrow().clone());
            home.scope.replace(parent);
        });
    }
}

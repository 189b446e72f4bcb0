//! What a group, its handles and its children share.
//!
//! No borrow is held while user code runs: errors, tasks, wakers and payloads are moved out first.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::task::Waker;

use super::roster::{Place, Roster};
use crate::cancel::{CancelScope, CancelToken, Cancelled, Node, Reason, ReasonKind, Request};
use crate::context;
use crate::task::{self, Hub, TaskId, TaskRef, panic_message};
use crate::unhandled::{Payload, UnhandledKind};

/// The state of a group.
pub(super) struct Shared<E> {
    roster: RefCell<Roster>,
    /// Who failed, if not the body, and with what, in the order of their failing.
    errors: RefCell<Vec<(Option<TaskRef>, E)>>,
    /// The first panic, and whose it was.
    panic: RefCell<Option<(Option<TaskRef>, Payload)>>,
    /// The body's scope, whose cancellation is that of the group.
    node: Rc<Node>,
    token: CancelToken,
    /// Whether the children have been asked to cancel.
    is_cancelled: Cell<bool>,
    /// Whether the group's future is done, or gone.
    is_over: Cell<bool>,
    /// The group's future, when it waits for the last child.
    waiter: Cell<Option<Waker>>,
}

impl<E> Hub for Shared<E> {
    fn awaited(&self) -> Vec<TaskId> {
        self.roster
            .borrow()
            .children()
            .iter()
            .map(TaskRef::id)
            .collect()
    }
}

/// What a child fails with.
#[expect(
    clippy::exhaustive_enums,
    reason = "a future that fails returns an error or panics"
)]
pub enum Failure<E> {
    /// The error that it returned.
    Error(E),
    /// The payload of its panic.
    Panic(Box<dyn Any + Send>),
}

impl<E: fmt::Debug> fmt::Debug for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => f.debug_tuple("Error").field(error).finish(),
            Self::Panic(payload) => f
                .debug_tuple("Panic")
                .field(&panic_message(&**payload))
                .finish(),
        }
    }
}

impl<E> Shared<E> {
    /// Makes the state of the group whose body runs in `scope`.
    pub(super) fn new(scope: &CancelScope) -> Self {
        Self {
            roster: RefCell::default(),
            errors: RefCell::default(),
            panic: RefCell::default(),
            node: scope.node(),
            token: scope.token(),
            is_cancelled: Cell::new(false),
            is_over: Cell::new(false),
            waiter: Cell::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.roster.borrow().len()
    }

    pub(super) fn children(&self) -> Vec<TaskRef> {
        self.roster.borrow().children()
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.is_cancelled.get()
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over.get()
    }

    pub(super) fn node(&self) -> &Node {
        &self.node
    }

    /// Gives a place to a child that is about to be spawned.
    pub(super) fn reserve(&self) -> Place {
        self.roster.borrow_mut().reserve()
    }

    /// Takes in a child that has become a task. One that comes late is asked to cancel at once.
    pub(super) fn enter(&self, place: Place, task: &TaskRef) {
        task.set_member();
        let entered = self.roster.borrow_mut().enter(place, task);
        if entered && self.is_cancelled.get() {
            task.request(Request::passed_on(&self.node.cancelled()));
        }
    }

    /// A child is gone, its future dropped.
    pub(super) fn leave(&self, place: Place) {
        let mut roster = self.roster.borrow_mut();
        let task = roster.leave(place);
        let is_empty = roster.len() == 0;
        drop(roster);
        drop(task);
        if is_empty && let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
    }

    /// Returns whether all children are gone; else `waiter` is woken when they are.
    pub(super) fn poll_empty(&self, waiter: &Waker) -> bool {
        let is_empty = self.len() == 0;
        let waiter = (!is_empty).then(|| waiter.clone());
        let old = self.waiter.replace(waiter);
        drop(old);
        is_empty
    }

    /// Asks the body and all children to cancel. Returns whether this was the first request.
    pub(super) fn cancel(&self, reason: Reason) -> bool {
        if self.is_over.get() || self.is_cancelled.replace(true) {
            return false;
        }
        self.token.cancel(reason);
        self.request_all();
        true
    }

    /// Passes a cancellation of something around the group on to the body and all children, once.
    pub(super) fn pass_on(&self, outer: &Cancelled) {
        if self.is_over.get() || self.is_cancelled.replace(true) {
            return;
        }
        // The name of it that the body and the children are told; it keeps `outer` alive.
        let told = self.node.pass_on(outer);
        self.token.cancel(told.reason().clone());
        self.request_all();
    }

    fn request_all(&self) {
        let told = self.node.cancelled();
        let children = self.roster.borrow().children();
        for child in children {
            child.request(Request::passed_on(&told));
        }
    }

    /// Keeps a failure and cancels everything else. `who` says who failed, if it was a child.
    pub(super) fn fail(&self, who: Option<TaskRef>, failure: Failure<E>) {
        let reason = failed(who.as_ref(), &failure);
        match failure {
            Failure::Error(error) => self.errors.borrow_mut().push((who, error)),
            Failure::Panic(payload) => self.keep_panic(who, payload),
        }
        self.cancel(reason);
    }

    /// Keeps the first panic. There is nobody to tell of later ones but the hook.
    fn keep_panic(&self, who: Option<TaskRef>, payload: Payload) {
        let mut panic = self.panic.borrow_mut();
        if panic.is_none() {
            *panic = Some((who, payload));
            return;
        }
        drop(panic);
        report(who, UnhandledKind::Panic, Some(payload));
    }

    /// Returns how many errors there are so far.
    pub(super) fn errors_len(&self) -> usize {
        self.errors.borrow().len()
    }

    pub(super) fn take_errors(&self) -> Vec<E> {
        let errors = self.errors.take();
        errors.into_iter().map(|(_, error)| error).collect()
    }

    /// Reports the errors that nobody will read.
    pub(super) fn report_errors(&self) {
        for (who, error) in self.errors.take() {
            report(who, UnhandledKind::Failed, None);
            drop(error);
        }
    }

    pub(super) fn take_panic(&self) -> Option<Payload> {
        self.panic.take().map(|(_, payload)| payload)
    }

    /// The group's future is done: nothing can be spawned any more.
    pub(super) fn close(&self) {
        self.is_over.set(true);
    }

    /// The group's future is gone. Aborts the children that are left, and reports what nobody has
    /// taken.
    pub(super) fn abandon(&self) {
        self.is_over.set(true);
        self.node.forget();
        let waiter = self.waiter.take();
        drop(waiter);
        let children = self.roster.borrow().children();
        for child in children {
            child.abort();
        }
        let panic = self.panic.take();
        if let Some((who, payload)) = panic {
            report(who, UnhandledKind::Panic, Some(payload));
        }
        self.report_errors();
    }
}

/// Tells the hook. Outside of a loop there is none.
fn report(who: Option<TaskRef>, kind: UnhandledKind, payload: Option<Payload>) {
    context::with_home(|home| home.report_for(who.or_else(task::current), kind, payload));
}

/// The reason that the others are told.
fn failed<E>(who: Option<&TaskRef>, failure: &Failure<E>) -> Reason {
    let verb = match failure {
        Failure::Error(_) => "failed",
        Failure::Panic(_) => "panicked",
    };
    let text = match who {
        None => format!("the body of the group {verb}"),
        Some(task) => match task.name() {
            None => format!("task {} of the group {verb}", task.id()),
            Some(name) => format!("task {} \"{name}\" of the group {verb}", task.id()),
        },
    };
    Reason::new(ReasonKind::Group, text)
}

impl<E> fmt::Debug for Shared<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("len", &self.len())
            .field("errors", &self.errors_len())
            .field("is_cancelled", &self.is_cancelled())
            .field("is_over", &self.is_over())
            .finish()
    }
}

//! A child of a group, as a task runs it.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::roster::Place;
use super::shared::{Failure, Shared};
use crate::cancel::Cancelled;
use crate::task::{self, Body, JoinError, TaskRef};

pin_project! {
    /// The future of a child. What it fails with goes to the group, and its handle is told so.
    pub(super) struct Child<F, E, S> {
        // Before the ticket: when the group learns that the child is gone, it is.
        #[pin]
        future: F,
        ticket: Ticket<E>,
        sink: S,
    }
}

/// Who is told of a failure before the group is.
pub(super) trait Sink<E> {
    /// Takes the failure, or gives it back for the group.
    fn take(&self, failure: Failure<E>) -> Option<Failure<E>>;
}

/// Nobody but the group itself.
pub(super) struct ToGroup;

impl<E> Sink<E> for ToGroup {
    fn take(&self, failure: Failure<E>) -> Option<Failure<E>> {
        Some(failure)
    }
}

impl<F, E, S> Child<F, E, S> {
    pub(super) fn new(group: &Rc<Shared<E>>, future: F, sink: S) -> (Self, Place) {
        let place = group.reserve();
        let ticket = Ticket {
            group: Rc::clone(group),
            place,
            has_begun: Cell::new(false),
        };
        let child = Self {
            future,
            ticket,
            sink,
        };
        (child, place)
    }
}

impl<F, U, E, S> Body for Child<F, E, S>
where
    F: Future<Output = Result<U, E>>,
    S: Sink<E>,
{
    type Output = U;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<U, JoinError>> {
        let this = self.project();
        this.ticket.begin();
        let polled = catch_unwind(AssertUnwindSafe(|| this.future.poll(cx)));
        let failure = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Ok(output))) => return Poll::Ready(Ok(output)),
            Ok(Poll::Ready(Err(error))) => Failure::Error(error),
            Err(payload) => Failure::Panic(payload),
        };
        Poll::Ready(Err(this.ticket.fail(failure, this.sink)))
    }
}

/// The membership of a child: while it exists, the group waits.
struct Ticket<E> {
    group: Rc<Shared<E>>,
    place: Place,
    has_begun: Cell<bool>,
}

impl<E> Ticket<E> {
    /// Before a poll. The first one may come inside the spawn, before the group knows the task.
    fn begin(&self) {
        if !self.has_begun.replace(true)
            && let Some(task) = task::current()
        {
            self.group.enter(self.place, &task);
        }
    }

    /// The child has failed, in its poll. Returns what its handle is told.
    fn fail(&self, failure: Failure<E>, sink: &impl Sink<E>) -> JoinError {
        let task = task::current().expect("a child fails in a poll of its task");
        let failure = match failure {
            Failure::Error(error) => match task.told() {
                // What the child was told is alive in what it returned: it was cancelled, no more.
                Some(reason) => {
                    drop(error);
                    return JoinError::cancelled(Some(task.id()), Cancelled::new(reason));
                }
                None => Failure::Error(error),
            },
            panic @ Failure::Panic(_) => panic,
        };
        match sink.take(failure) {
            None => JoinError::failed(task.id()),
            Some(failure) => self.fail_group(task, failure),
        }
    }

    fn fail_group(&self, task: TaskRef, failure: Failure<E>) -> JoinError {
        let id = task.id();
        if !self.group.is_over() {
            self.group.fail(Some(task), failure);
            return JoinError::failed(id);
        }
        // The group went while this child was running.
        match failure {
            Failure::Error(error) => {
                drop(error);
                JoinError::aborted(id)
            }
            Failure::Panic(payload) => JoinError::panicked(Some(id), payload),
        }
    }
}

impl<E> Drop for Ticket<E> {
    fn drop(&mut self) {
        self.group.leave(self.place);
    }
}

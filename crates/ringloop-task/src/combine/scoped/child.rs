//! One child of a scope: its future, and what that shares with its handle.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::Scope;
use crate::cancel::{CancelScope, RunScoped, ScopeHandle};
use crate::combine::contained::Contained;
use crate::context;
use crate::task::{self, JoinError, TaskId, panic_message};
use crate::unhandled::Payload;

/// What a child's future and its handle share.
pub(super) struct Child<T> {
    /// The scope around the child alone.
    pub(super) cancel: ScopeHandle,
    /// What came out, until the handle takes it.
    pub(super) output: Cell<Option<Result<T, JoinError>>>,
    /// Whether the child has ended, and there is an output, or was one.
    pub(super) is_finished: Cell<bool>,
    /// Who awaits the handle.
    pub(super) joiner: Cell<Option<Waker>>,
}

impl<T> Child<T> {
    pub(super) fn new(cancel: ScopeHandle) -> Self {
        Self {
            cancel,
            output: Cell::new(None),
            is_finished: Cell::new(false),
            joiner: Cell::new(None),
        }
    }

    /// The child was never to run.
    pub(super) fn abort(&self) {
        self.finish(Err(JoinError::gone(task_id())));
    }

    fn finish(&self, output: Result<T, JoinError>) {
        self.output.set(Some(output));
        self.is_finished.set(true);
        if let Some(joiner) = self.joiner.take() {
            joiner.wake();
        }
    }

    /// Returns why the child has no value: it was dropped where it could not be told.
    fn dropped(&self) -> JoinError {
        JoinError::cancelled(task_id(), self.cancel.cancelled())
    }
}

pin_project! {
    /// The future of a child: runs it in a cancel scope of its own, and sees to its end.
    pub(super) struct Running<'scope, 'env, F: Future> {
        #[pin]
        future: Contained<RunScoped<Store<F>>>,
        child: Rc<Child<F::Output>>,
        scope: &'scope Scope<'scope, 'env>,
    }
}

impl<'scope, 'env, F: Future> Running<'scope, 'env, F> {
    pub(super) fn new(
        scope: &'scope Scope<'scope, 'env>,
        cancel: CancelScope,
        child: Rc<Child<F::Output>>,
        future: F,
    ) -> Self {
        let store = Store {
            future,
            child: Rc::clone(&child),
        };
        Self {
            future: Contained::new(cancel.run(store)),
            child,
            scope,
        }
    }
}

impl<F: Future> Future for Running<'_, '_, F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let Poll::Ready(ended) = this.future.poll(cx) else {
            return Poll::Pending;
        };
        let child = this.child;
        let output = match (ended, child.output.take()) {
            // How the cancel scope was left says nothing: the value tells, as a task's.
            (Ok(_), Some(value)) => value,
            (Ok(_), None) => Err(child.dropped()),
            (Err(payload), _) => {
                let error = JoinError::panicked(task_id(), copy_of(&payload));
                this.scope.fail(payload);
                Err(error)
            }
        };
        child.finish(output);
        Poll::Ready(())
    }
}

pin_project! {
    /// Puts what a future gives where the child's handle finds it once the child has ended.
    struct Store<F: Future> {
        #[pin]
        future: F,
        child: Rc<Child<F::Output>>,
    }
}

impl<F: Future> Future for Store<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        let value = this.future.poll(cx);
        value.map(|value| this.child.output.set(Some(Ok(value))))
    }
}

/// Returns a payload with the same message: the panic itself goes on in whoever awaits the scope.
fn copy_of(payload: &Payload) -> Payload {
    let message = panic_message(&**payload).unwrap_or("a child of the scope panicked");
    Box::new(message.to_owned())
}

/// Returns the number of the task that the scope runs in.
fn task_id() -> Option<TaskId> {
    context::with_home(|home| home.current.get().map(task::id_of)).flatten()
}

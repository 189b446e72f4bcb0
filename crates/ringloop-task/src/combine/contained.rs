//! Futures whose panics are values.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::context;
use crate::task;
use crate::unhandled::{Payload, UnhandledKind};

pin_project! {
    /// Runs a future, and gives its panic as an error. The future is dropped when it is done.
    pub(super) struct Contained<F> {
        #[pin]
        future: Option<F>,
    }
}

impl<F> Contained<F> {
    pub(super) fn new(future: F) -> Self {
        Self {
            future: Some(future),
        }
    }

    /// Drops the future, if it is there still.
    pub(super) fn clear(self: Pin<&mut Self>) {
        let mut future = self.project().future;
        report_drop(catch_unwind(AssertUnwindSafe(|| future.set(None))));
    }

    pub(super) fn is_done(&self) -> bool {
        self.future.is_none()
    }
}

impl<F: Future> Future for Contained<F> {
    type Output = Result<F::Output, Payload>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = self.as_mut().project().future.as_pin_mut() else {
            panic!("a future was polled after it was done")
        };
        let output = match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(payload) => Err(payload),
        };
        self.clear();
        Poll::Ready(output)
    }
}

/// Drops something of the user's, and reports a panic. Gives it back if there is nobody to tell.
pub(super) fn drop_contained<T>(value: T) -> Option<Payload> {
    report_drop(catch_unwind(AssertUnwindSafe(|| drop(value))))
}

fn report_drop(dropped: Result<(), Payload>) -> Option<Payload> {
    report(UnhandledKind::DropPanic, dropped.err()?)
}

/// Tells the hook of a panic that nobody else will hear of, as one of the task that runs. Gives it
/// back outside of a loop.
#[cold]
pub(super) fn report(kind: UnhandledKind, payload: Payload) -> Option<Payload> {
    let mut payload = Some(payload);
    context::with_home(|home| home.report_for(task::current(), kind, payload.take()));
    payload
}

//! What came of an operation that was asked to end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::{Op, Operation};

/// Which of the two won: the operation, or the request to end it.
#[expect(
    clippy::exhaustive_enums,
    reason = "there is no third way for an operation to end"
)]
pub enum Outcome<O: Operation> {
    /// It had happened, or failed, before the request reached it.
    Completed(O::Output),
    /// It did not happen. What it owned comes back.
    Cancelled(O::Leftover),
}

impl<O: Operation> Outcome<O> {
    /// Returns whether the operation did not happen.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(_))
    }

    /// Returns the operation's own result, if it has one.
    pub fn completed(self) -> Option<O::Output> {
        match self {
            Self::Completed(output) => Some(output),
            Self::Cancelled(_) => None,
        }
    }

    /// Returns what the operation owned, if it did not happen.
    pub fn cancelled(self) -> Option<O::Leftover> {
        match self {
            Self::Completed(_) => None,
            Self::Cancelled(leftover) => Some(leftover),
        }
    }
}

impl<O: Operation<Output: fmt::Debug, Leftover: fmt::Debug>> fmt::Debug for Outcome<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed(output) => f.debug_tuple("Completed").field(output).finish(),
            Self::Cancelled(leftover) => f.debug_tuple("Cancelled").field(leftover).finish(),
        }
    }
}

/// The future of [`Op::cancel`].
#[must_use = "the kernel has been asked; await this to learn what came of it"]
pub struct Cancelling<O: Operation> {
    op: Op<O>,
}

impl<O: Operation> Cancelling<O> {
    pub(super) fn new(op: Op<O>) -> Self {
        Self { op }
    }
}

impl<O: Operation> Future for Cancelling<O> {
    type Output = Outcome<O>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.op.poll_end(cx).map(|(op, cqe)| {
            if [libc::ECANCELED, libc::EINTR].contains(&cqe.errno()) {
                Outcome::Cancelled(op.reclaim())
            } else {
                Outcome::Completed(op.complete(cqe))
            }
        })
    }
}

impl<O: Operation> fmt::Debug for Cancelling<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancelling").field(&self.op).finish()
    }
}

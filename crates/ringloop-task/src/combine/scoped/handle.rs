//! The handle that awaits what a child of a scope returns.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::child::Child;
use crate::cancel::{CancelWatch, Reason};
use crate::task::{JoinError, poll_budget};

/// Awaits what a child of a [`scope`](super::scope()) returns. Dropping it lets the child run on.
///
/// Awaiting it inside a scope that is cancelled passes the request on to the child, once, and goes
/// on waiting for the child's own end, as a [`JoinHandle`](crate::task::JoinHandle) does.
///
/// # Errors
///
/// [`JoinError`] if the child panicked (the error has the message; the panic itself goes on where
/// the scope is awaited), or if it was cancelled and dropped because it waited for something that
/// cannot be told.
///
/// # Cancel safety
///
/// Cancel safe: the handle may be polled by reference, dropped out of a race, and polled again.
///
/// # Examples
///
/// ```
/// use ringloop_core::ThreadDriver;
/// use ringloop_task::{Scheduler, task, time};
/// use std::time::Duration;
///
/// Scheduler::new(ThreadDriver::new()).block_on(task::scope(async |s| {
///     let child = s.spawn(time::sleep(Duration::MAX));
///     assert!(child.cancel("not needed"));
///     let cancelled = child.await.expect("it ran to its end").unwrap_err();
///     assert_eq!(cancelled.reason().text(), "not needed");
/// }));
/// ```
pub struct ScopedJoinHandle<'scope, T> {
    child: Rc<Child<T>>,
    watch: CancelWatch,
    /// Whether a request has been passed on: once is enough.
    has_passed_on: bool,
    scope: PhantomData<&'scope mut &'scope ()>,
}

impl<T> ScopedJoinHandle<'_, T> {
    #[track_caller]
    pub(super) fn new(child: Rc<Child<T>>) -> Self {
        Self {
            child,
            watch: CancelWatch::new(),
            has_passed_on: false,
            scope: PhantomData,
        }
    }

    /// Asks the child to cancel: the wait it is parked on, and every later one, gives
    /// `Err(Cancelled)`. Returns whether this was the first request and the child had not ended.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn cancel(&self, reason: impl Into<Reason>) -> bool {
        !self.is_finished() && self.child.cancel.cancel(reason)
    }

    /// Returns whether the child has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.child.is_finished.get()
    }
}

impl<T> Unpin for ScopedJoinHandle<'_, T> {}

impl<T> Future for ScopedJoinHandle<'_, T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.is_finished() {
            ready!(poll_budget(cx)).spend();
            return match self.child.output.take() {
                Some(output) => Poll::Ready(output.map_err(JoinError::told_here)),
                None => panic!("a join handle was polled after it gave the output"),
            };
        }
        if !self.has_passed_on
            && let Err(cancelled) = self.watch.poll_cancelled(cx)
        {
            self.has_passed_on = true;
            // Without a `stay`: the child is in the same task, and says by itself whether it has to
            // be waited for.
            self.child.cancel.pass_on(&cancelled);
        }
        match self.child.joiner.take() {
            Some(filed) if filed.will_wake(cx.waker()) => self.child.joiner.set(Some(filed)),
            _ => self.child.joiner.set(Some(cx.waker().clone())),
        }
        Poll::Pending
    }
}

impl<T> Drop for ScopedJoinHandle<'_, T> {
    fn drop(&mut self) {
        drop(self.child.joiner.take());
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle")
            .field("is_finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}

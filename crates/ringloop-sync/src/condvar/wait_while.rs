//! The future of a wait for a condition.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::wait::{CondvarWait, Waited};
use crate::host::Host;
use crate::mutex::MutexGuard;

/// A future of the guard and what came of the wait; see
/// [`Condvar::wait_while`](super::Condvar::wait_while).
#[must_use = "futures do nothing unless awaited"]
pub struct CondvarWaitWhile<'a, 'm, T: ?Sized, F, H: Host> {
    /// The current wait; the next one begins where the last has ended.
    wait: CondvarWait<'a, 'm, T, H>,
    condition: F,
}

impl<'a, 'm, T: ?Sized, F: FnMut(&mut T) -> bool, H: Host> CondvarWaitWhile<'a, 'm, T, F, H> {
    pub(super) fn new(wait: CondvarWait<'a, 'm, T, H>, condition: F) -> Self {
        Self { wait, condition }
    }

    fn poll_while(&mut self, cx: &mut Context<'_>) -> Poll<Waited<'m, T, H::Cancelled>> {
        // A wait begins with this, even one whose condition holds.
        if let Err(cancelled) = ready!(self.wait.poll_begin(cx)) {
            return self.wait.give_back(Err(cancelled));
        }
        loop {
            if let Some(guard) = self.wait.held()
                && !(self.condition)(guard)
            {
                return self.wait.give_back(Ok(()));
            }
            let (guard, outcome) = ready!(self.wait.poll_wait(cx));
            if outcome.is_err() {
                return Poll::Ready((guard, outcome));
            }
            self.wait = CondvarWait::new(self.wait.condvar, guard, self.wait.at);
        }
    }
}

impl<'m, T: ?Sized, F: FnMut(&mut T) -> bool, H: Host> Future
    for CondvarWaitWhile<'_, 'm, T, F, H>
{
    type Output = (MutexGuard<'m, T>, H::Outcome<()>);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (guard, outcome) = ready!(self.poll_while(cx));
        Poll::Ready((guard, H::outcome(outcome)))
    }
}

/// Nothing in it is pinned.
impl<T: ?Sized, F, H: Host> Unpin for CondvarWaitWhile<'_, '_, T, F, H> {}

impl<T: ?Sized, F, H: Host> fmt::Debug for CondvarWaitWhile<'_, '_, T, F, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CondvarWaitWhile")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

//! The future of a word.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{Notify, Word};
use crate::host::Host;
use crate::wait::Wait;

/// A future that ends when it is notified; see [`Notify::notified`].
#[must_use = "futures do nothing unless awaited"]
pub struct Notified<'a, H: Host> {
    notify: &'a Notify<H>,
    /// The rounds that there had been before.
    rounds: u64,
    wait: Wait<H>,
}

impl<'a, H: Host> Notified<'a, H> {
    #[inline]
    pub(super) fn new(notify: &'a Notify<H>, at: &'static Location<'static>) -> Self {
        Self {
            notify,
            rounds: notify.rounds.get(),
            wait: Wait::new(at),
        }
    }

    #[inline]
    fn poll_notified(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), H::Cancelled>> {
        let notify = self.notify;
        if !self.wait.is_listed() {
            ready!(self.wait.poll_begin(cx))?;
            if self.rounds != notify.rounds.get() || notify.has_permit.take() {
                return Poll::Ready(Ok(()));
            }
            self.wait.enlist(&notify.waiters, Word::All, cx);
            // A waker's clone is foreign code, which may have notified before we were listed.
            if self.rounds != notify.rounds.get() {
                self.leave();
                return Poll::Ready(Ok(()));
            }
            if notify.has_permit.take() {
                notify.hand_over();
            }
        }
        self.poll_listed(cx)
    }

    /// Out of line, so that a wait for what is there is inlined whole.
    #[cold]
    fn poll_listed(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), H::Cancelled>> {
        match ready!(self.wait.poll_listed(&self.notify.waiters, cx)) {
            Ok(_word) => Poll::Ready(Ok(())),
            Err((_all, cancelled)) => Poll::Ready(Err(cancelled)),
        }
    }

    /// Leaves the line, and passes on what was for one.
    #[cold]
    fn leave(&mut self) {
        if let Some(Ok(Word::One)) = self.wait.leave(&self.notify.waiters) {
            self.notify.notify_one();
        }
    }
}

impl<H: Host> Future for Notified<'_, H> {
    type Output = H::Outcome<()>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_notified(cx).map(H::outcome)
    }
}

impl<H: Host> Drop for Notified<'_, H> {
    #[inline]
    fn drop(&mut self) {
        if self.wait.is_listed() {
            self.leave();
        }
    }
}

impl<H: Host> fmt::Debug for Notified<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notified")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

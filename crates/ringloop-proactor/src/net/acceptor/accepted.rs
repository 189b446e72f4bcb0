//! Waiting in line for a connection.

use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use ringloop_core::WaitKey;

use super::super::proactor_gone;
use super::Acceptor;

/// The future of [`Acceptor::accept`].
#[must_use = "nothing is accepted until it is awaited"]
pub struct Accepted<'a> {
    acceptor: &'a Acceptor,
    key: Option<WaitKey>,
}

impl<'a> Accepted<'a> {
    pub(super) fn new(acceptor: &'a Acceptor) -> Self {
        Self {
            acceptor,
            key: None,
        }
    }

    /// Returns the acceptor that the future waits on.
    #[must_use]
    pub fn acceptor(&self) -> &'a Acceptor {
        self.acceptor
    }
}

impl Future for Accepted<'_> {
    type Output = io::Result<OwnedFd>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let state = &self.acceptor.state;
        let is_my_turn = match &self.key {
            // Whoever comes new stands behind those who wait or have been called.
            None => state.waiters.is_empty() && state.has_surplus(),
            Some(key) => !state.waiters.update(key, cx.waker()),
        };
        if is_my_turn {
            if let Some(key) = self.key.take() {
                state.waiters.remove(key);
                state.granted.set(state.granted.get() - 1);
            }
            if let Some(result) = self.acceptor.take() {
                if !state.waiters.is_empty() && !self.acceptor.arm() {
                    // The others wait for a proactor that is gone.
                    while let Some(waiter) = state.grant() {
                        waiter.wake();
                    }
                }
                return Poll::Ready(result);
            }
        }
        if self.key.is_none() {
            let key = state.waiters.push(cx.waker());
            self.key = Some(key);
        }
        if self.acceptor.arm() {
            Poll::Pending
        } else {
            Poll::Ready(Err(proactor_gone()))
        }
    }
}

/// A wait that was granted a connection and does not take it passes the grant on.
impl Drop for Accepted<'_> {
    fn drop(&mut self) {
        let state = &self.acceptor.state;
        let Some(key) = self.key.take() else { return };
        if state.waiters.remove(key) {
            return;
        }
        state.granted.set(state.granted.get() - 1);
        if state.backlog.borrow().has_news()
            && let Some(next) = state.grant()
        {
            next.wake();
        }
    }
}

impl fmt::Debug for Accepted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted")
            .field("acceptor", self.acceptor)
            .finish_non_exhaustive()
    }
}

//! What waits for a token.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::reason::{Cancelled, Reason};
use super::token::CancelToken;
use super::watch::CancelWatch;
use crate::task;
use crate::waker_set::WakerKey;

/// A waker that is filed with a token until this is dropped.
#[derive(Debug)]
pub(super) struct TokenWait {
    token: CancelToken,
    key: Option<WakerKey>,
}

impl TokenWait {
    pub(super) fn new(token: CancelToken) -> Self {
        Self { token, key: None }
    }

    /// Returns the reason, or files the waker.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Option<Reason> {
        if let Some(key) = self.key {
            self.token.update(key, cx.waker());
        } else {
            self.key = self.token.register(cx.waker());
        }
        self.token.reason()
    }
}

impl Drop for TokenWait {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.token.unregister(key);
        }
    }
}

/// Waits for a token to be cancelled; see [`CancelToken::cancelled`].
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct WaitCancelled {
    wait: TokenWait,
    watch: CancelWatch,
}

impl WaitCancelled {
    #[track_caller]
    pub(super) fn new(token: CancelToken) -> Self {
        Self {
            wait: TokenWait::new(token),
            watch: CancelWatch::new(),
        }
    }
}

impl Future for WaitCancelled {
    type Output = Result<Reason, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(reason) = self.wait.poll(cx) {
            ready!(task::poll_budget(cx)).spend();
            return Poll::Ready(Ok(reason));
        }
        self.watch.poll_cancelled(cx)?;
        Poll::Pending
    }
}

/// Waits for a token to be cancelled, anywhere; see [`CancelToken::signal`].
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct Signal {
    wait: TokenWait,
}

impl Signal {
    pub(super) fn new(token: CancelToken) -> Self {
        Self {
            wait: TokenWait::new(token),
        }
    }
}

impl Future for Signal {
    type Output = Reason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Reason> {
        self.wait.poll(cx).map_or(Poll::Pending, Poll::Ready)
    }
}

pin_project! {
    /// Runs a future until a token is cancelled; see [`CancelToken::run`].
    #[must_use = "futures do nothing unless awaited"]
    #[derive(Debug)]
    pub struct Run<F> {
        #[pin]
        future: Option<F>,
        wait: TokenWait,
        watch: CancelWatch,
        is_begun: bool,
    }
}

impl<F: Future> Run<F> {
    #[track_caller]
    pub(super) fn new(token: CancelToken, future: F) -> Self {
        let wait = TokenWait::new(token);
        Self {
            future: Some(future),
            wait,
            watch: CancelWatch::new(),
            is_begun: false,
        }
    }

    fn poll_cancelled(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Result<(), Cancelled> {
        let mut this = self.project();
        let cancelled = match this.wait.poll(cx) {
            Some(reason) => Err(Cancelled::new(reason)),
            None => this.watch.poll_cancelled(cx),
        };
        if cancelled.is_err() {
            this.future.set(None);
        }
        cancelled
    }
}

impl<F: Future> Future for Run<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.is_begun {
            self.as_mut().poll_cancelled(cx)?;
            *self.as_mut().project().is_begun = true;
        }
        let Some(future) = self.as_mut().project().future.as_pin_mut() else {
            panic!("`CancelToken::run` was polled after it gave the output")
        };
        if let Poll::Ready(output) = future.poll(cx) {
            self.project().future.set(None);
            return Poll::Ready(Ok(output));
        }
        self.poll_cancelled(cx)?;
        Poll::Pending
    }
}

//! What the property tests share: waits that are given up by chance, and counted streams.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ringloop::cancel::{CancelScope, CancelToken};
use ringloop::io::{AsyncRead, AsyncWrite};
use ringloop::task::yield_now;
use ringloop::time::move_on_after;

use crate::rig::{in_cancelled_scope, polled_once};
use crate::seeds::Choice;

/// Waits, or gives up in one of the ways there are, after some polls or some time.
///
/// `None`: it was given up. Then an error says nothing but that it was cancelled.
pub(crate) async fn by_chance<T>(
    choice: &mut Choice,
    wait: impl Future<Output = io::Result<T>>,
) -> Option<io::Result<T>> {
    let polls = choice.below(4);
    let time = Duration::from_micros(choice.below(200) as u64);
    let result = match choice.below(7) {
        0..2 => return Some(wait.await),
        2 => in_cancelled_scope(wait).await,
        3 => move_on_after(time, wait).await,
        4 => move_on_after(Duration::ZERO, wait).await,
        5 => dropped_after(polls, wait).await,
        _ => cancelled_after(polls, wait).await,
    };
    // A scope that takes its own cancellation for the body's leaves nobody to tell of an error.
    result.filter(|result| !matches!(result, Err(error) if ringloop::cancel::is_cancelled(error)))
}

/// Polls so many times, a turn of the loop apart, and drops.
async fn dropped_after<F: Future>(polls: usize, wait: F) -> Option<F::Output> {
    let mut wait = pin!(wait);
    for _ in 0..polls {
        if let Some(output) = polled_once(&mut wait).await {
            return Some(output);
        }
        yield_now().await.ok()?;
    }
    None
}

/// Polls so many times, a turn of the loop apart, asks for the end, and waits for it.
async fn cancelled_after<F: Future>(polls: usize, wait: F) -> Option<F::Output> {
    let token = CancelToken::new();
    let scope = CancelScope::with_token(token.clone());
    let mut body = pin!(scope.run(wait));
    if let Some(exit) = dropped_after(polls, &mut body).await {
        return exit.done();
    }
    token.cancel("after some polls");
    body.await.done()
}

/// A stream that counts what goes through it, below whatever is awaited.
pub(crate) struct Counted<S> {
    pub(crate) stream: S,
    pub(crate) count: usize,
}

impl<S> Counted<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, count: 0 }
    }

    fn note(&mut self, polled: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(count)) = polled {
            self.count += count;
        }
    }
}

impl<S: AsyncRead> AsyncRead for Counted<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let polled = self.stream.poll_read(cx, buf);
        self.note(&polled);
        polled
    }
}

impl<S: AsyncWrite> AsyncWrite for Counted<S> {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = self.stream.poll_write(cx, bytes);
        self.note(&polled);
        polled
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_shutdown(cx)
    }
}

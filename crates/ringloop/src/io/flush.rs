//! Waiting for what was written, and ending a sink.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::async_write::AsyncWrite;
use super::wait::Wait;

/// The future of [`AsyncWrite::flush`].
#[must_use = "nothing is flushed until it is awaited"]
#[derive(Debug)]
pub struct Flush<'a, W: ?Sized> {
    pub(super) sink: &'a mut W,
    pub(super) wait: Wait,
}

impl<W: AsyncWrite + ?Sized> Future for Flush<'_, W> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        match this.sink.poll_flush(cx) {
            Poll::Pending => this.wait.go_on(cx),
            result @ Poll::Ready(_) => result,
        }
    }
}

/// The future of [`AsyncWrite::shutdown`].
#[must_use = "nothing is shut down until it is awaited"]
#[derive(Debug)]
pub struct Shutdown<'a, W: ?Sized> {
    pub(super) sink: &'a mut W,
    pub(super) wait: Wait,
}

impl<W: AsyncWrite + ?Sized> Future for Shutdown<'_, W> {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        match this.sink.poll_shutdown(cx) {
            Poll::Pending => this.wait.go_on(cx),
            result @ Poll::Ready(_) => result,
        }
    }
}

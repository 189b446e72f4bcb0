//! One write.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::async_write::AsyncWrite;
use super::wait::Wait;

/// The future of [`AsyncWrite::write`].
#[must_use = "nothing is written until it is awaited"]
#[derive(Debug)]
pub struct Write<'a, W: ?Sized> {
    pub(super) sink: &'a mut W,
    pub(super) bytes: &'a [u8],
    pub(super) wait: Wait,
}

impl<W: AsyncWrite + ?Sized> Write<'_, W> {
    /// A poll that is not the usual first one or the one after.
    #[inline(never)]
    fn poll_closely(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        ready!(self.wait.begin(cx))?;
        match self.sink.poll_write(cx, self.bytes) {
            Poll::Pending => self.wait.go_on(cx),
            result @ Poll::Ready(_) => result,
        }
    }
}

impl<W: AsyncWrite + ?Sized> Future for Write<'_, W> {
    type Output = io::Result<usize>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // Looked up before anything is written, so that the compiler sees what was put there just now.
        let (sink, bytes) = (&mut *this.sink, this.bytes);
        if !this.wait.is_new() {
            return match sink.poll_write(cx, bytes) {
                Poll::Pending => this.poll_closely(cx),
                result @ Poll::Ready(_) => result,
            };
        }
        if !this.wait.try_begin() {
            return this.poll_closely(cx);
        }
        match sink.poll_write(cx, bytes) {
            Poll::Pending => this.wait.go_on(cx),
            result @ Poll::Ready(_) => result,
        }
    }
}

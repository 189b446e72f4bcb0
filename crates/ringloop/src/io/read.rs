//! One read.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::async_read::AsyncRead;
use super::wait::Wait;

/// The future of [`AsyncRead::read`].
#[must_use = "nothing is read until it is awaited"]
#[derive(Debug)]
pub struct Read<'a, R: ?Sized> {
    pub(super) source: &'a mut R,
    pub(super) buf: &'a mut [u8],
    pub(super) wait: Wait,
}

impl<R: AsyncRead + ?Sized> Read<'_, R> {
    /// A poll that is not the usual first one or the one after.
    #[inline(never)]
    fn poll_closely(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        ready!(self.wait.begin(cx))?;
        match self.source.poll_read(cx, self.buf) {
            Poll::Pending => self.wait.go_on(cx),
            result @ Poll::Ready(_) => result,
        }
    }
}

impl<R: AsyncRead + ?Sized> Future for Read<'_, R> {
    type Output = io::Result<usize>;

    // A call of its own costs more than what is done in it when bytes are there.
    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // Looked up before anything is written, so that the compiler sees what was put there just now.
        let (source, buf) = (&mut *this.source, &mut *this.buf);
        if !this.wait.is_new() {
            return match source.poll_read(cx, buf) {
                Poll::Pending => this.poll_closely(cx),
                result @ Poll::Ready(_) => result,
            };
        }
        if !this.wait.try_begin() {
            return this.poll_closely(cx);
        }
        match source.poll_read(cx, buf) {
            Poll::Pending => this.wait.go_on(cx),
            result @ Poll::Ready(_) => result,
        }
    }
}

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

impl<R: AsyncRead + ?Sized> Future for Read<'_, R> {
    type Output = io::Result<usize>;

    // A call of its own costs more than what is done in it when bytes are there.
    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        match this.source.poll_read(cx, this.buf) {
            Poll::Pending => this.wait.go_on(cx),
            result @ Poll::Ready(_) => result,
        }
    }
}

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

impl<W: AsyncWrite + ?Sized> Future for Write<'_, W> {
    type Output = io::Result<usize>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        ready!(this.wait.begin(cx))?;
        match this.sink.poll_write(cx, this.bytes) {
            Poll::Pending => this.wait.go_on(cx),
            result @ Poll::Ready(_) => result,
        }
    }
}

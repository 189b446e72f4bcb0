//! Reading so many bytes.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::async_read::AsyncRead;
use super::partial::Partial;
use super::wait::Wait;

/// The future of [`AsyncRead::read_exact`].
#[must_use = "nothing is read until it is awaited"]
#[derive(Debug)]
pub struct ReadExact<'a, R: ?Sized> {
    pub(super) source: &'a mut R,
    pub(super) buf: &'a mut [u8],
    pub(super) filled: usize,
    pub(super) wait: Wait,
}

impl<R: ?Sized> ReadExact<'_, R> {
    /// Returns how many bytes are in the buffer.
    #[must_use]
    pub fn filled(&self) -> usize {
        self.filled
    }
}

impl<R: AsyncRead + ?Sized> ReadExact<'_, R> {
    #[inline]
    fn poll_steps(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.wait.begin(cx))?;
        while self.filled < self.buf.len() {
            match self.source.poll_read(cx, &mut self.buf[self.filled..]) {
                Poll::Ready(Ok(0)) => {
                    return Poll::Ready(Err(Partial::eof(self.filled, self.buf.len())));
                }
                Poll::Ready(Ok(count)) => self.filled += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return self.wait.go_on(cx),
            }
            if self.filled < self.buf.len() {
                ready!(self.wait.next_step(cx));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<R: AsyncRead + ?Sized> Future for ReadExact<'_, R> {
    type Output = io::Result<()>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let result = ready!(this.poll_steps(cx));
        Poll::Ready(result.map_err(|cause| match Partial::of(&cause) {
            Some(_) => cause,
            None => Partial::error(this.filled, this.buf.len(), cause),
        }))
    }
}

//! Writing all of a slice.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::async_write::AsyncWrite;
use super::partial::Partial;
use super::wait::Wait;

/// The future of [`AsyncWrite::write_all`].
#[must_use = "nothing is written until it is awaited"]
#[derive(Debug)]
pub struct WriteAll<'a, W: ?Sized> {
    pub(super) sink: &'a mut W,
    pub(super) bytes: &'a [u8],
    pub(super) written: usize,
    pub(super) wait: Wait,
}

impl<W: ?Sized> WriteAll<'_, W> {
    /// Returns how many bytes the sink has accepted.
    #[must_use]
    pub fn written(&self) -> usize {
        self.written
    }
}

impl<W: AsyncWrite + ?Sized> WriteAll<'_, W> {
    #[inline(always)]
    fn poll_steps(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.wait.begin(cx))?;
        if self.bytes.is_empty() {
            return Poll::Ready(Ok(()));
        }
        loop {
            match self.sink.poll_write(cx, &self.bytes[self.written..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return self.wait.go_on(cx),
            }
            if self.written == self.bytes.len() {
                return Poll::Ready(Ok(()));
            }
            ready!(self.wait.next_step(cx));
        }
    }
}

impl<W: AsyncWrite + ?Sized> Future for WriteAll<'_, W> {
    type Output = io::Result<()>;

    // A call of its own costs more than what is done in it when bytes are there.
    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let result = ready!(this.poll_steps(cx));
        let partial = |cause| Partial::error(this.written, this.bytes.len(), cause);
        Poll::Ready(result.map_err(partial))
    }
}

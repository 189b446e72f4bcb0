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
    /// Goes on with what the last write came to, or with a write if there was none in this poll.
    #[inline(never)]
    fn poll_rest(
        &mut self,
        cx: &mut Context<'_>,
        last: Option<Poll<io::Result<usize>>>,
    ) -> Poll<io::Result<()>> {
        let mut polled = match last {
            Some(polled) => polled,
            None => {
                ready!(self.wait.begin(cx))?;
                if self.bytes.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                self.sink.poll_write(cx, &self.bytes[self.written..])
            }
        };
        loop {
            match polled {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return self.wait.go_on(cx),
            }
            if self.written == self.bytes.len() {
                return Poll::Ready(Ok(()));
            }
            ready!(self.wait.next_step(cx));
            polled = self.sink.poll_write(cx, &self.bytes[self.written..]);
        }
    }

    /// The same, with how far it came in the error.
    #[cold]
    fn poll_partial(
        &mut self,
        cx: &mut Context<'_>,
        last: Option<Poll<io::Result<usize>>>,
    ) -> Poll<io::Result<()>> {
        let result = ready!(self.poll_rest(cx, last));
        let partial = |cause| Partial::error(self.written, self.bytes.len(), cause);
        Poll::Ready(result.map_err(partial))
    }
}

impl<W: AsyncWrite + ?Sized> Future for WriteAll<'_, W> {
    type Output = io::Result<()>;

    // A call of its own costs more than what is done in it when there is room.
    #[inline(always)]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        // Looked up before anything is written, so that the compiler sees what was put there just now.
        let (sink, bytes) = (&mut *this.sink, this.bytes);
        if !this.wait.is_new() || !this.wait.try_begin() {
            return this.poll_partial(cx, None);
        }
        if bytes.is_empty() {
            return Poll::Ready(Ok(()));
        }
        match sink.poll_write(cx, bytes) {
            Poll::Ready(Ok(count)) if count == bytes.len() => {
                this.written = count;
                Poll::Ready(Ok(()))
            }
            first @ (Poll::Ready(_) | Poll::Pending) => this.poll_partial(cx, Some(first)),
        }
    }
}

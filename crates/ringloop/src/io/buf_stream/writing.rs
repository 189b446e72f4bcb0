//! Writing through a buffer.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, Waker, ready};

use super::BufStream;
use super::outbox::OUTBOX_LEN;
use crate::io::{AsyncWrite, Flush, Shutdown, Write, WriteAll};

impl<S: AsyncWrite> BufStream<S> {
    /// Writes some of `bytes` and returns how many.
    ///
    /// # Errors
    ///
    /// As [`AsyncWrite::write`], of this or an earlier write.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    pub fn write<'a>(&'a mut self, bytes: &'a [u8]) -> Write<'a, Self> {
        AsyncWrite::write(self, bytes)
    }

    /// Writes all of `bytes`, into the buffer if it has room.
    ///
    /// # Errors
    ///
    /// As [`AsyncWrite::write_all`], of this or an earlier write.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a prefix may have been written; the error, and
    /// [`written`](WriteAll::written) of the future, tell how much.
    #[track_caller]
    pub fn write_all<'a>(&'a mut self, bytes: &'a [u8]) -> WriteAll<'a, Self> {
        AsyncWrite::write_all(self, bytes)
    }

    /// Passes on what is in the buffer, and flushes the stream below.
    ///
    /// # Errors
    ///
    /// As [`AsyncWrite::flush`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was not passed on stays in the buffer, and to call it again goes on.
    #[track_caller]
    #[doc(alias = "drain")]
    pub fn flush(&mut self) -> Flush<'_, Self> {
        AsyncWrite::flush(self)
    }

    /// Flushes and ends the stream below: the other side sees the end, and can still be read from.
    ///
    /// # Errors
    ///
    /// As [`AsyncWrite::shutdown`].
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was not passed on stays in the buffer, and to call it again goes on.
    #[track_caller]
    #[doc(alias = "write_eof")]
    pub fn shutdown(&mut self) -> Shutdown<'_, Self> {
        AsyncWrite::shutdown(self)
    }
}

impl<S: AsyncWrite> BufStream<S> {
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.stream.get_mut();
        self.outbox.poll_drain(stream, cx)
    }

    fn push(&mut self, bytes: &[u8]) {
        self.outbox.push(bytes);
        self.at_drop = Some(|stream| {
            // It is dropped: nobody could be woken, and nobody is there to hear of an error.
            drop(stream.poll_drain(&mut Context::from_waker(Waker::noop())));
        });
    }
}

impl<S: AsyncWrite> AsyncWrite for BufStream<S> {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if bytes.len() > self.outbox.room() {
            ready!(self.poll_drain(cx))?;
        }
        if bytes.len() >= OUTBOX_LEN || self.is_shut_down {
            return self.get_mut().poll_write(cx, bytes);
        }
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = slices.iter().map(|slice| slice.len()).sum();
        if len > self.outbox.room() {
            ready!(self.poll_drain(cx))?;
        }
        if len >= OUTBOX_LEN || self.is_shut_down {
            return self.get_mut().poll_write_vectored(cx, slices);
        }
        for slice in slices {
            self.push(slice);
        }
        Poll::Ready(Ok(len))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        self.get_mut().poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        ready!(self.get_mut().poll_shutdown(cx))?;
        // The stream itself says what becomes of later writes.
        self.is_shut_down = true;
        Poll::Ready(Ok(()))
    }
}

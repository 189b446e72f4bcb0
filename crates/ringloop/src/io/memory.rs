//! Slices, vectors and cursors are streams that never wait.

use std::io::{self, BufRead, Cursor, IoSlice, Read, Write};
use std::task::{Context, Poll};

use super::async_buf_read::AsyncBufRead;
use super::async_read::AsyncRead;
use super::async_write::AsyncWrite;

/// Reads from the front, which moves on.
impl AsyncRead for &[u8] {
    fn poll_read(&mut self, _: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Read::read(self, buf))
    }
}

impl AsyncBufRead for &[u8] {
    fn poll_fill_buf(&mut self, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Poll::Ready(Ok(self))
    }

    fn consume(&mut self, count: usize) {
        *self = &self[count..];
    }
}

impl<T: AsRef<[u8]>> AsyncRead for Cursor<T> {
    fn poll_read(&mut self, _: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Read::read(self, buf))
    }
}

impl<T: AsRef<[u8]>> AsyncBufRead for Cursor<T> {
    fn poll_fill_buf(&mut self, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Poll::Ready(BufRead::fill_buf(self))
    }

    fn consume(&mut self, count: usize) {
        BufRead::consume(self, count);
    }
}

macro_rules! as_std_writes {
    ($($(#[$meta:meta])* $sink:ty),+ $(,)?) => {$(
        $(#[$meta])*
        impl AsyncWrite for $sink {
            fn poll_write(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
                Poll::Ready(Write::write(self, bytes))
            }

            fn poll_write_vectored(
                &mut self,
                _: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                Poll::Ready(Write::write_vectored(self, slices))
            }

            fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }
        }
    )+};
}

as_std_writes!(
    /// Appends.
    Vec<u8>,
    /// Writes over the front, which moves on; a full one takes nothing.
    &mut [u8],
    /// Writes at the position; a full one takes nothing.
    Cursor<&mut [u8]>,
    /// Writes at the position, and lets the vector grow.
    Cursor<Vec<u8>>,
    /// Writes at the position, and lets the vector grow.
    Cursor<&mut Vec<u8>>,
);

//! Sources and sinks of nothing in particular.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use super::async_buf_read::AsyncBufRead;
use super::async_read::AsyncRead;
use super::async_write::AsyncWrite;

/// Makes a source that is at its end. Counterpart: `std::io::empty`.
#[must_use]
pub fn empty() -> Empty {
    Empty { _private: () }
}

/// Makes a source of one byte, over and over. Counterpart: `std::io::repeat`.
#[must_use]
pub fn repeat(byte: u8) -> Repeat {
    Repeat {
        bytes: [byte; REPEATED],
    }
}

/// Makes a sink that takes everything and keeps nothing. Counterpart: `std::io::sink`.
#[must_use]
pub fn sink() -> Sink {
    Sink { _private: () }
}

/// A source that is at its end, by [`empty`].
#[derive(Debug)]
pub struct Empty {
    _private: (),
}

impl AsyncRead for Empty {
    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(0))
    }
}

impl AsyncBufRead for Empty {
    fn poll_fill_buf(&mut self, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Poll::Ready(Ok(&[]))
    }

    fn consume(&mut self, _: usize) {}
}

/// One byte, over and over, by [`repeat`].
#[derive(Debug)]
pub struct Repeat {
    bytes: [u8; REPEATED],
}

impl AsyncRead for Repeat {
    fn poll_read(&mut self, _: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        buf.fill(self.bytes[0]);
        Poll::Ready(Ok(buf.len()))
    }
}

impl AsyncBufRead for Repeat {
    fn poll_fill_buf(&mut self, _: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Poll::Ready(Ok(&self.bytes))
    }

    fn consume(&mut self, _: usize) {}
}

/// A sink that keeps nothing, by [`sink`].
#[derive(Debug)]
pub struct Sink {
    _private: (),
}

impl AsyncWrite for Sink {
    fn poll_write(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        &mut self,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

const REPEATED: usize = 64;

//! The first bytes of a source.

use std::io;
use std::task::{Context, Poll, ready};

use super::async_buf_read::AsyncBufRead;
use super::async_read::AsyncRead;

/// So many bytes of a source, by [`AsyncRead::take`]. Counterpart: `std::io::Take`.
#[must_use = "it reads nothing by itself"]
#[derive(Debug)]
pub struct Take<R> {
    source: R,
    limit: u64,
}

impl<R> Take<R> {
    pub(super) fn new(source: R, limit: u64) -> Self {
        Self { source, limit }
    }

    /// Returns how many bytes may be read still.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Lets `limit` bytes be read from now on.
    pub fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// Returns the source.
    #[must_use]
    pub fn into_inner(self) -> R {
        self.source
    }

    /// How much of `len` may be read.
    fn cap(&self, len: usize) -> usize {
        usize::try_from(self.limit).map_or(len, |limit| len.min(limit))
    }
}

impl<R: AsyncRead> AsyncRead for Take<R> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let len = self.cap(buf.len());
        if len == 0 {
            return Poll::Ready(Ok(0));
        }
        let count = ready!(self.source.poll_read(cx, &mut buf[..len]))?;
        self.limit -= count as u64;
        Poll::Ready(Ok(count))
    }
}

impl<R: AsyncBufRead> AsyncBufRead for Take<R> {
    fn poll_fill_buf(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        if self.limit == 0 {
            return Poll::Ready(Ok(&[]));
        }
        let limit = self.limit;
        let bytes = ready!(self.source.poll_fill_buf(cx))?;
        let len = usize::try_from(limit).map_or(bytes.len(), |limit| bytes.len().min(limit));
        Poll::Ready(Ok(&bytes[..len]))
    }

    fn consume(&mut self, count: usize) {
        let count = self.cap(count);
        self.limit -= count as u64;
        self.source.consume(count);
    }
}

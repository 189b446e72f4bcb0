//! One source after another.

use std::io;
use std::task::{Context, Poll, ready};

use super::async_buf_read::AsyncBufRead;
use super::async_read::AsyncRead;

/// A source, then another, by [`AsyncRead::chain`]. Counterpart: `std::io::Chain`.
#[must_use = "it reads nothing by itself"]
#[derive(Debug)]
pub struct Chain<A, B> {
    first: A,
    second: B,
    has_ended: bool,
}

impl<A, B> Chain<A, B> {
    pub(super) fn new(first: A, second: B) -> Self {
        Self {
            first,
            second,
            has_ended: false,
        }
    }

    /// Returns the two sources.
    #[must_use]
    pub fn into_inner(self) -> (A, B) {
        (self.first, self.second)
    }
}

impl<A: AsyncRead, B: AsyncRead> AsyncRead for Chain<A, B> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        if buf.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if !self.has_ended {
            match ready!(self.first.poll_read(cx, buf))? {
                0 => self.has_ended = true,
                count => return Poll::Ready(Ok(count)),
            }
        }
        self.second.poll_read(cx, buf)
    }
}

impl<A: AsyncBufRead, B: AsyncBufRead> AsyncBufRead for Chain<A, B> {
    fn poll_fill_buf(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        if !self.has_ended {
            self.has_ended = ready!(self.first.poll_fill_buf(cx))?.is_empty();
        }
        // What the first has lent above it lends again.
        if self.has_ended {
            self.second.poll_fill_buf(cx)
        } else {
            self.first.poll_fill_buf(cx)
        }
    }

    fn consume(&mut self, count: usize) {
        if self.has_ended {
            self.second.consume(count);
        } else {
            self.first.consume(count);
        }
    }
}

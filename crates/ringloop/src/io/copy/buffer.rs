//! What a copy has read and not written.

use std::io;
use std::task::{Context, Poll, ready};

use crate::io::{AsyncBufRead, AsyncRead};

/// A buffer, made when it is first read into.
#[derive(Default)]
pub(super) struct Buffered {
    memory: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Buffered {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.end]
    }

    /// The source with this buffer.
    pub(super) fn on<'a, R>(&'a mut self, source: &'a mut R) -> BufferedReader<'a, R> {
        BufferedReader {
            buffer: self,
            source,
        }
    }
}

/// A source that lends what is in a buffer.
pub(super) struct BufferedReader<'a, R> {
    buffer: &'a mut Buffered,
    source: &'a mut R,
}

/// Not used: a copy borrows.
impl<R: AsyncRead> AsyncRead for BufferedReader<'_, R> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let bytes = ready!(self.poll_fill_buf(cx))?;
        let count = bytes.len().min(buf.len());
        buf[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Poll::Ready(Ok(count))
    }
}

impl<R: AsyncRead> AsyncBufRead for BufferedReader<'_, R> {
    fn poll_fill_buf(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let Buffered { memory, start, end } = &mut *self.buffer;
        if start == end {
            if memory.is_empty() {
                *memory = vec![0; BUFFER_LEN].into_boxed_slice();
            }
            let count = ready!(self.source.poll_read(cx, memory))?;
            (*start, *end) = (0, count);
        }
        Poll::Ready(Ok(&memory[*start..*end]))
    }

    fn consume(&mut self, count: usize) {
        self.buffer.start += count;
    }
}

const BUFFER_LEN: usize = 16 * 1024;

//! One direction of a copy.

use std::io;
use std::task::{Context, Poll, ready};

use crate::io::{AsyncBufRead, AsyncWrite, Wait};

/// How far one direction is.
#[derive(Debug, Default)]
pub(super) struct Pump {
    pub(super) copied: u64,
    /// Something was written since the last flush.
    is_unflushed: bool,
    /// The source has ended.
    pub(super) has_ended: bool,
}

impl Pump {
    /// Passes bytes on until the source has ended and everything is flushed.
    pub(super) fn poll<R: AsyncBufRead, W: AsyncWrite>(
        &mut self,
        reader: &mut R,
        writer: &mut W,
        wait: &mut Wait,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.has_ended {
            let Poll::Ready(bytes) = reader.poll_fill_buf(cx) else {
                // What a buffered sink holds does not wait for more.
                let _flushed_or_later = self.poll_flush(writer, cx)?;
                return Poll::Pending;
            };
            let bytes = bytes?;
            if bytes.is_empty() {
                self.has_ended = true;
                break;
            }
            let count = ready!(writer.poll_write(cx, bytes))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            reader.consume(count);
            self.copied += count as u64;
            self.is_unflushed = true;
            ready!(wait.next_step(cx));
        }
        self.poll_flush(writer, cx)
    }

    fn poll_flush<W: AsyncWrite>(
        &mut self,
        writer: &mut W,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_unflushed {
            ready!(writer.poll_flush(cx))?;
            self.is_unflushed = false;
        }
        Poll::Ready(Ok(()))
    }
}

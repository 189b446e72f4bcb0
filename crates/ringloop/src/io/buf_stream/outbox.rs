//! Bytes that were written and not yet passed on.

use std::io;
use std::mem;
use std::task::{Context, Poll, ready};

use crate::io::AsyncWrite;

/// A buffer of bytes on their way out.
#[derive(Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    /// How many of them were passed on.
    sent: usize,
}

impl Outbox {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[self.sent..]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sent == self.bytes.len()
    }

    pub(super) fn take_all(&mut self) -> Vec<u8> {
        let sent = mem::take(&mut self.sent);
        self.bytes.drain(..sent);
        mem::take(&mut self.bytes)
    }

    /// Returns how much may be added.
    pub(super) fn room(&self) -> usize {
        OUTBOX_LEN.saturating_sub(self.bytes.len())
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Passes everything on to `sink`.
    pub(super) fn poll_drain<S: AsyncWrite>(
        &mut self,
        sink: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            match ready!(sink.poll_write(cx, &self.bytes[self.sent..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.sent += count,
            }
        }
        self.bytes.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }
}

/// So much is gathered.
pub(super) const OUTBOX_LEN: usize = 8 * 1024;

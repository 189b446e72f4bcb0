//! A stream whose bytes come and go in given pieces.

use std::io::{self, ErrorKind};
use std::task::{Context, Poll};

use ringloop::io::{AsyncRead, AsyncWrite};

use super::Script;

/// The lengths of pieces, again and again. Zero: there is none yet.
struct Cuts<'a> {
    lens: &'a [u8],
    at: usize,
}

impl Cuts<'_> {
    fn next(&mut self) -> Poll<usize> {
        let len = self.lens.get(self.at % self.lens.len().max(1));
        self.at += 1;
        // One that is always zero would be no stream, and large pieces are possible, too.
        let has_turn = self.at.is_multiple_of(self.lens.len() + 1);
        match len.copied().map_or(0, usize::from) {
            0 if has_turn => Poll::Ready(1),
            0 => Poll::Pending,
            len @ 200.. => Poll::Ready(len * 40),
            len => Poll::Ready(len),
        }
    }
}

/// Has some bytes, then an error, which is told once, then the end.
pub(super) struct Source<'a> {
    bytes: &'a [u8],
    cuts: Cuts<'a>,
    /// How many have been read.
    pub(super) at: usize,
    pub(super) fails: bool,
}

impl<'a> Source<'a> {
    pub(super) fn new(script: &mut Script<'a>, fails: bool) -> Self {
        let count = script.below(8);
        let cuts = Cuts {
            lens: script.take(count),
            at: 0,
        };
        Self {
            bytes: script.take(usize::MAX),
            cuts,
            at: 0,
            fails,
        }
    }

    /// All bytes, read or not.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl AsyncRead for Source<'_> {
    fn poll_read(&mut self, _: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        // F110: room is made for twice as much as has come, not for what was only asked for.
        let room = buf.len();
        let most = 2 * self.at + 16 * 1024;
        assert!(room <= most, "room for {room} bytes behind {}", self.at);
        let Poll::Ready(len) = self.cuts.next() else {
            return Poll::Pending;
        };
        let rest = &self.bytes[self.at..];
        if rest.is_empty() && std::mem::take(&mut self.fails) {
            return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
        }
        let count = len.min(rest.len()).min(room);
        buf[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Poll::Ready(Ok(count))
    }
}

/// Takes a few bytes at a time.
pub(super) struct Sink<'a> {
    pub(super) taken: Vec<u8>,
    pub(super) is_shut: bool,
    /// Takes so many, and then fails.
    room: usize,
    cuts: Cuts<'a>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(script: &mut Script<'a>) -> Self {
        let room = script.amount().saturating_mul(16);
        let count = script.below(8);
        let cuts = Cuts {
            lens: script.take(count),
            at: 0,
        };
        Self {
            taken: Vec::new(),
            is_shut: false,
            room,
            cuts,
        }
    }
}

impl AsyncWrite for Sink<'_> {
    fn poll_write(&mut self, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.is_shut {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        let Poll::Ready(len) = self.cuts.next() else {
            return Poll::Pending;
        };
        if self.taken.len() >= self.room {
            return Poll::Ready(Err(ErrorKind::ConnectionReset.into()));
        }
        let count = len.min(bytes.len()).min(self.room - self.taken.len());
        self.taken.extend_from_slice(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.cuts.next().map(|_| Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = self.cuts.next();
        self.is_shut |= polled.is_ready();
        polled.map(|_| Ok(()))
    }
}

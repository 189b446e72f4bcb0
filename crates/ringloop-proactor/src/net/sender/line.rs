//! The queue from the first owned buffer on: segments, and the send that takes several.

use std::collections::VecDeque;
use std::ptr;

use super::owned::{Owned, Source};
use super::piping::Piping;
use crate::fd::Fd;
use crate::ops::header::MsgHeader;
use crate::ring::{Cqe, Sqe};
use crate::wakes::Wakes;

/// Segments in order, of which the kernel is sending the first ones.
pub(super) struct Line {
    segments: VecDeque<Segment>,
    /// How much of the first segment has been sent.
    sent: usize,
    /// What is left of all.
    bytes: usize,
    /// So many of the first segments are being sent, and are not touched (N1).
    in_flight: usize,
    /// What the kernel said of a send without a copy, whose notification is to come.
    taken: Option<i32>,
    /// The send in flight is one without a copy.
    is_zero_copy: bool,
    /// The next send is an ordinary one: the kernel refused another.
    copies_next: bool,
    /// What is under way if a pipe is in front.
    piping: Piping,
    /// The kernel reads it while several segments are in flight.
    header: MsgHeader,
    vectors: [libc::iovec; SEGMENTS_MAX],
}

enum Segment {
    Copied(Vec<u8>),
    Owned(Owned),
}

impl Segment {
    fn source(&self) -> Source {
        match self {
            Self::Copied(bytes) => Source::Memory(bytes.as_ptr()),
            Self::Owned(owned) => owned.source(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Copied(bytes) => bytes.len(),
            Self::Owned(owned) => owned.len(),
        }
    }

    /// Its memory, if it may go with others: buffers from `zero_copy_from` on go alone.
    fn memory(&self, zero_copy_from: usize) -> Option<*const u8> {
        match self.source() {
            Source::Memory(start) if !self.is_owned() || self.len() < zero_copy_from => Some(start),
            Source::Memory(_) | Source::Pipe(_) => None,
        }
    }

    fn is_owned(&self) -> bool {
        matches!(self, Self::Owned(_))
    }
}

impl Default for Line {
    fn default() -> Self {
        Self {
            segments: VecDeque::new(),
            sent: 0,
            bytes: 0,
            in_flight: 0,
            taken: None,
            is_zero_copy: false,
            copies_next: false,
            piping: Piping::default(),
            header: MsgHeader::default(),
            vectors: [NOTHING; SEGMENTS_MAX],
        }
    }
}

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// How many bytes there are, also those that the kernel has taken and still reads.
    pub(super) fn held(&self) -> usize {
        self.bytes
    }

    /// How many bytes the kernel has not taken.
    pub(super) fn unsent(&self) -> usize {
        let taken = self.taken.and_then(|res| usize::try_from(res).ok());
        self.bytes - taken.unwrap_or(0)
    }

    /// Queues a copy of `bytes`, in the last segment if the kernel has not got that.
    pub(super) fn push_copied(&mut self, bytes: &[u8]) {
        let is_last_free = self.segments.len() > self.in_flight;
        match self.segments.back_mut() {
            Some(Segment::Copied(last)) if is_last_free => {
                last.extend_from_slice(bytes);
                self.bytes += bytes.len();
            }
            Some(_) | None => self.push_all(bytes.to_vec()),
        }
    }

    /// Queues bytes that have been copied.
    pub(super) fn push_all(&mut self, bytes: Vec<u8>) {
        self.bytes += bytes.len();
        self.segments.push_back(Segment::Copied(bytes));
    }

    pub(super) fn push_owned(&mut self, owned: Owned) {
        self.bytes += owned.len();
        self.segments.push_back(Segment::Owned(owned));
    }

    /// Describes a send of the first segments: one alone, or as many as one message takes.
    pub(super) fn prepare(&mut self, sqe: &mut Sqe, socket: &Fd, zero_copy_from: usize) {
        let copies = std::mem::take(&mut self.copies_next);
        let from = if copies { usize::MAX } else { zero_copy_from };
        let Some(first) = self.segments.front() else {
            return;
        };
        self.is_zero_copy = false;
        let rest = first.len() - self.sent;
        let mut sent = self.sent;
        let together = self.segments.iter().map_while(|next| {
            let start = next.memory(from)?.wrapping_add(sent);
            let len = next.len() - sent;
            sent = 0;
            Some((start, len))
        });
        self.in_flight = 0;
        for ((start, len), vector) in together.zip(&mut self.vectors) {
            vector.iov_base = start.cast_mut().cast();
            vector.iov_len = len;
            self.in_flight += 1;
        }
        if self.in_flight < 2 {
            self.in_flight = 1;
            match first.source() {
                Source::Memory(start) => {
                    self.is_zero_copy = first.memory(from).is_none();
                    sqe.opcode = io_uring::opcode::Send::CODE;
                    if self.is_zero_copy {
                        sqe.opcode = io_uring::opcode::SendZc::CODE;
                    }
                    sqe.set_memory(start.wrapping_add(self.sent), rest);
                }
                Source::Pipe(number) => self.piping.prepare(sqe, socket, number, rest),
            }
            return;
        }
        self.header = MsgHeader {
            buffers: self.vectors.as_mut_ptr().expose_provenance(),
            buffers_count: self.in_flight,
            ..MsgHeader::default()
        };
        sqe.opcode = io_uring::opcode::SendMsg::CODE;
        *sqe = self.header.named_in(*sqe);
    }

    /// Notes what the kernel said of a send without a copy, before the notification.
    pub(super) fn taken(&mut self, res: i32) {
        self.taken = Some(res);
    }

    /// What the kernel said of the send that has ended with `cqe`: if that was a notification, what
    /// it said before. `None`: that was no send, but a wait for room.
    pub(super) fn landed(&mut self, cqe: Cqe, socket: &Fd) -> Option<i32> {
        self.in_flight = 0;
        match self.segments.front() {
            Some(first) if matches!(first.source(), Source::Pipe(_)) => {
                self.piping.landed(cqe, socket, first.len() - self.sent)
            }
            Some(_) | None => Some(self.taken.take().unwrap_or(cqe.res)),
        }
    }

    /// Whether the send that has ended was one without a copy.
    pub(super) fn was_zero_copy(&self) -> bool {
        self.is_zero_copy
    }

    /// The next send is an ordinary one.
    pub(super) fn copy_next(&mut self) {
        self.copies_next = true;
    }

    /// Lets go of what has been sent. Owned buffers are dropped by wakers.
    pub(super) fn advance(&mut self, count: usize, wakes: &mut Wakes) {
        self.bytes -= count;
        self.sent += count;
        while let Some(first) = self.segments.front()
            && self.sent >= first.len()
        {
            self.sent -= first.len();
            match self.segments.pop_front() {
                Some(Segment::Owned(owned)) => wakes.push(owned.into_waker()),
                Some(Segment::Copied(_)) | None => {}
            }
        }
        if self.segments.is_empty() && self.segments.capacity() > SEGMENTS_MAX {
            self.segments = VecDeque::new();
        }
    }

    /// Leaves all owned buffers to wakers.
    pub(super) fn dispose(self: Box<Self>, wakes: &mut Wakes) {
        for segment in self.segments {
            if let Segment::Owned(owned) = segment {
                wakes.push(owned.into_waker());
            }
        }
    }
}

/// The most segments in one send.
const SEGMENTS_MAX: usize = 16;
const NOTHING: libc::iovec = libc::iovec {
    iov_base: ptr::null_mut(),
    iov_len: 0,
};

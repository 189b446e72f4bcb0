//! What a datagram socket has received and nobody has taken.

use std::collections::VecDeque;
use std::mem;
use std::task::Waker;

use super::state::{DatagramReceiverStats, State};
use crate::buf::Lent;
use crate::op::Flow;

#[derive(Default)]
pub(super) struct Inbox {
    pieces: VecDeque<Piece>,
    /// How much of the bytes at the front has been taken: of several datagrams that the kernel has
    /// put together, the first ones.
    cursor: usize,
    queued_bytes: usize,
    received: u64,
    stops: u64,
    /// The buffer of a receive without a provided one. The kernel's while `armed`.
    pub(super) own: Option<Box<[u8]>>,
    pub(super) armed: bool,
    stopping: bool,
    /// The receiver is gone: what still arrives is given back.
    pub(super) closed: bool,
    /// Nobody wants more: once the receive rests, it is not started again.
    pub(super) halted: bool,
    /// Who waits for it to rest.
    pub(super) stopper: Option<Waker>,
}

pub(super) enum Piece {
    Lent(Lent),
    Own(Box<[u8]>),
    /// An error, in its place between the datagrams.
    Failed(i32),
}

/// What has been copied of a datagram.
pub(super) struct Copied {
    pub(super) count: usize,
    pub(super) is_truncated: bool,
}

impl Inbox {
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.pieces.len()
    }

    pub(super) fn stats(&self) -> DatagramReceiverStats {
        DatagramReceiverStats {
            received: self.received,
            queued: self.count(),
            queued_bytes: self.queued_bytes,
            stops: self.stops,
            dropped_by_kernel: 0,
        }
    }

    #[inline]
    pub(super) fn is_full(&self, state: &State) -> bool {
        self.queued_bytes >= HIGH_WATER_BYTES || self.count() >= state.pieces_max
    }

    /// Whether nothing is being received although there is room again.
    #[inline]
    pub(super) fn is_low(&self, state: &State) -> bool {
        !self.armed && self.is_drained(state)
    }

    #[cold]
    fn is_drained(&self, state: &State) -> bool {
        !self.halted
            && self.queued_bytes <= HIGH_WATER_BYTES / 2
            && self.count() <= state.pieces_max / 2
    }

    #[inline]
    pub(super) fn has_datagram(&self) -> bool {
        matches!(self.pieces.front(), Some(Piece::Lent(_) | Piece::Own(_)))
    }

    pub(super) fn pop_error(&mut self) -> Option<i32> {
        let &Piece::Failed(errno) = self.pieces.front()? else {
            return None;
        };
        self.pieces.pop_front();
        Some(errno)
    }

    /// Takes the first error out, wherever it is.
    pub(super) fn take_error(&mut self) -> Option<i32> {
        let is_error = |piece: &Piece| matches!(piece, Piece::Failed(_));
        let at = self.pieces.iter().position(is_error)?;
        match self.pieces.remove(at) {
            Some(Piece::Failed(errno)) => Some(errno),
            Some(Piece::Lent(_) | Piece::Own(_)) | None => unreachable!("it is an error"),
        }
    }

    /// Takes the message at the front out, and tells how much of it has been taken before.
    #[inline]
    pub(super) fn pop(&mut self) -> (Piece, usize) {
        let piece = self.pieces.pop_front().expect("somebody has looked");
        (piece, mem::take(&mut self.cursor))
    }

    /// Counts bytes out that have been taken.
    pub(super) fn took(&mut self, bytes: usize) {
        self.queued_bytes -= bytes;
    }

    /// Copies the datagram at the front, shows who has sent it, and may take it out.
    #[inline]
    pub(super) fn copy_out<P>(
        &mut self,
        state: &State,
        buf: &mut [u8],
        takes: bool,
        peer: impl FnOnce(&[u8]) -> P,
    ) -> (Copied, P) {
        let piece = self.pieces.front().expect("somebody has looked");
        let envelope = state.open(piece);
        let rest = &envelope.bytes[self.cursor..];
        let one = match envelope.segment_bytes() {
            Some(segment) if segment < rest.len() => &rest[..segment],
            Some(_) | None => rest,
        };
        let count = one.len().min(buf.len());
        buf[..count].copy_from_slice(&one[..count]);
        let copied = Copied {
            count,
            is_truncated: count < one.len() || envelope.is_truncated(),
        };
        let peer = peer(envelope.name);
        if takes {
            let (taken, is_last) = (one.len(), one.len() == rest.len());
            if is_last {
                let (piece, _) = self.pop();
                state.give_back(piece);
            } else {
                self.cursor += taken;
            }
            self.queued_bytes -= taken;
        }
        (copied, peer)
    }

    /// Takes a message in.
    #[inline]
    pub(super) fn arrived(&mut self, piece: Piece, bytes: usize) {
        self.pieces.push_back(piece);
        self.queued_bytes += bytes;
        self.received += 1;
    }

    /// Puts an error in its place behind the datagrams.
    pub(super) fn fail(&mut self, errno: i32) {
        self.pieces.push_back(Piece::Failed(errno));
    }

    /// A last completion has come.
    pub(super) fn ended(&mut self) {
        self.armed = false;
        self.stopping = false;
    }

    /// Asks for the end of the receive, because the queue is full; once.
    pub(super) fn stop(&mut self) -> Flow {
        if mem::replace(&mut self.stopping, true) {
            return Flow::Rest;
        }
        self.stops += 1;
        Flow::Stop
    }

    /// After the last completion: whether to receive again.
    pub(super) fn again(&mut self, wants: bool) -> Flow {
        self.armed = wants && !self.closed && !self.halted;
        if self.armed { Flow::Again } else { Flow::Rest }
    }

    /// The receiver goes. Returns what nobody has taken.
    pub(super) fn close(&mut self) -> VecDeque<Piece> {
        self.closed = true;
        mem::take(&mut self.pieces)
    }
}

/// Past this many bytes, datagrams wait in the socket.
const HIGH_WATER_BYTES: usize = 256 * 1024;

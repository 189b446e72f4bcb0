//! What a datagram socket is to send.

use std::io;
use std::mem;
use std::os::fd::BorrowedFd;

use super::letter::Batch;
use crate::ops::ancillary::Ancillary;
use crate::ring::Sqe;

/// The queue that a [`DatagramSender`](super::DatagramSender) shares with its service.
#[derive(Default)]
pub(super) struct Outbox {
    /// What goes out, and of which the ring may have the first. Not touched meanwhile.
    sending: Batch,
    /// What was written since.
    pending: Batch,
    queued_bytes: usize,
    error: Option<i32>,
    /// The service is staged or in flight.
    pub(super) armed: bool,
}

impl Outbox {
    pub(super) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// How many datagrams the kernel has not taken.
    #[inline]
    pub(super) fn queued(&self) -> usize {
        self.sending.count() + self.pending.count()
    }

    /// Whether a datagram of so many bytes may be queued. One always may.
    #[inline]
    pub(super) fn has_room(&self, len: usize) -> bool {
        let count = self.queued();
        count == 0 || (count < LETTERS_MAX && self.queued_bytes + len <= HIGH_WATER_BYTES)
    }

    /// Whether so much has gone that those who wait for room are called.
    #[inline]
    pub(super) fn is_low(&self) -> bool {
        self.queued() <= LETTERS_MAX / 2
    }

    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8], address: &[u8], ancillary: Option<Ancillary>) {
        self.pending.push(bytes, address, ancillary);
        self.queued_bytes += bytes.len();
    }

    #[inline]
    pub(super) fn has_error(&self) -> bool {
        self.error.is_some()
    }

    #[inline]
    pub(super) fn take_error(&mut self) -> Option<io::Error> {
        self.error.take().map(io::Error::from_raw_os_error)
    }

    /// Gives up what is queued.
    pub(super) fn clear(&mut self) -> [Batch; 2] {
        self.queued_bytes = 0;
        [mem::take(&mut self.sending), mem::take(&mut self.pending)]
    }

    /// The proactor goes, and what is queued with it.
    pub(super) fn retire(&mut self) -> [Batch; 2] {
        self.error = Some(libc::ESHUTDOWN);
        self.armed = false;
        self.clear()
    }

    /// Makes what was written the next to be sent, if everything before has gone. `false`: there is
    /// nothing to send.
    #[inline]
    pub(super) fn turn_over(&mut self) -> bool {
        if self.sending.count() == 0 {
            self.sending.clear();
            mem::swap(&mut self.sending, &mut self.pending);
        }
        self.sending.count() > 0
    }

    /// Sends datagrams now, in order, as far as that is possible without waiting; all but the last.
    #[inline]
    pub(super) fn send_ahead(&mut self, socket: BorrowedFd<'_>, flags: i32) {
        let count = (self.sending.count() - 1).min(AHEAD_MAX);
        for _ in 0..count {
            let failed = self.sending.send_now(socket, flags).err();
            let errno = failed.map_or(0, |error| error.raw_os_error().unwrap_or(libc::EIO));
            // A sandbox may forbid the call and not the ring, which says so itself otherwise.
            if matches!(errno, libc::EPERM | libc::ENOSYS) {
                return;
            }
            if self.settle(errno) == Fate::Waits {
                return;
            }
        }
    }

    /// Has the ring send the next one, and wait until there is room for it.
    #[inline]
    pub(super) fn prepare(&mut self, sqe: &mut Sqe) {
        self.sending.prepare(sqe);
    }

    /// Leaves the first datagram behind if it has been sent, or cannot be.
    #[inline]
    pub(super) fn settle(&mut self, errno: i32) -> Fate {
        if errno != 0 && self.settle_failed(errno) == Fate::Waits {
            return Fate::Waits;
        }
        self.queued_bytes -= self.sending.advance();
        Fate::Gone
    }

    #[cold]
    fn settle_failed(&mut self, errno: i32) -> Fate {
        match errno {
            // The socket is full; or what everything on the descriptor was asked, which is not meant
            // for what waits here.
            libc::EAGAIN | libc::EINTR | libc::ECANCELED => return Fate::Waits,
            // What an ICMP message said of an earlier datagram, in place of sending this one.
            _ if BROUGHT_BY_ICMP.contains(&errno) => match self.sending.fails_with(errno) {
                0 => {
                    self.error = Some(errno);
                    return Fate::Waits;
                }
                // It is this one's own, and has been told.
                first if first == errno => {}
                _ => self.error = Some(errno),
            },
            _ => self.error = Some(errno),
        }
        Fate::Gone
    }
}

/// What has become of a datagram that was to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It has been sent, or cannot be.
    Gone,
    /// It is to be tried again, before all others.
    Waits,
}

/// What the kernel makes of ICMP messages, of both versions.
const BROUGHT_BY_ICMP: [i32; 9] = [
    libc::ECONNREFUSED,
    libc::ENETUNREACH,
    libc::EHOSTUNREACH,
    libc::EHOSTDOWN,
    libc::ENOPROTOOPT,
    libc::ENONET,
    libc::EOPNOTSUPP,
    libc::EPROTO,
    libc::EACCES,
];
/// A sender waits above this much.
const HIGH_WATER_BYTES: usize = 256 * 1024;
/// A sender waits above this many.
const LETTERS_MAX: usize = 256;
/// So many datagrams go out in a turn, before one that the ring sends.
const AHEAD_MAX: usize = 31;

#[cfg(test)]
mod tests;

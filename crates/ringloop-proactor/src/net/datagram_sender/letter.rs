//! Datagrams on their way out, one behind the other.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use crate::ops::ancillary::Ancillary;
use crate::ops::header::MsgHeader;
use crate::ops::stream::address_len;
use crate::ring::Sqe;

/// Datagrams, of which the first have left.
#[derive(Default)]
pub(super) struct Batch {
    /// Of each its address, and then its bytes.
    bytes: Vec<u8>,
    letters: Vec<Letter>,
    /// How many have left.
    sent: usize,
    /// What goes beside the bytes, of those where something does, in their order.
    enclosures: VecDeque<Box<Enclosure>>,
}

/// Where a datagram is.
#[derive(Clone, Copy)]
struct Letter {
    /// Where the address ends and the bytes begin.
    start: usize,
    len: usize,
    /// Without an address, it goes to where the socket is connected to.
    address_len: u16,
    is_enclosed: bool,
    /// What was said in place of sending it, when it was tried first; zero for nothing.
    failed_with: i32,
}

/// What describes a datagram with ancillary data to the kernel.
struct Enclosure {
    ancillary: Ancillary,
    header: MsgHeader,
    /// `struct iovec`.
    bytes: [usize; 2],
}

impl Batch {
    /// How many datagrams have not left.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.letters.len() - self.sent
    }

    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8], address: &[u8], ancillary: Option<Ancillary>) {
        self.bytes.extend_from_slice(address);
        self.letters.push(Letter {
            start: self.bytes.len(),
            len: bytes.len(),
            address_len: u16::try_from(address.len()).expect("an address is short"),
            is_enclosed: ancillary.is_some(),
            failed_with: 0,
        });
        self.bytes.extend_from_slice(bytes);
        if let Some(ancillary) = ancillary {
            self.enclosures.push_back(Enclosure::new(ancillary));
        }
    }

    /// Forgets what has left, when all has.
    #[inline]
    pub(super) fn clear(&mut self) {
        debug_assert_eq!(self.count(), 0, "what is forgotten has left");
        self.letters.clear();
        self.bytes.clear();
        if self.bytes.capacity() > KEPT_BYTES {
            self.bytes = Vec::new();
        }
        self.sent = 0;
    }

    /// Leaves the first one behind, and returns its length.
    #[inline]
    pub(super) fn advance(&mut self) -> usize {
        let letter = self.letters[self.sent];
        if letter.is_enclosed {
            self.enclosures.pop_front();
        }
        self.sent += 1;
        letter.len
    }

    /// Notes what was said in place of sending the first one. Returns what was said before, zero for
    /// nothing.
    pub(super) fn fails_with(&mut self, errno: i32) -> i32 {
        let letter = &mut self.letters[self.sent];
        std::mem::replace(&mut letter.failed_with, errno)
    }

    /// Has the ring send the first one.
    #[inline]
    pub(super) fn prepare(&mut self, sqe: &mut Sqe) {
        let letter = self.letters[self.sent];
        let (address, bytes) = letter.parts(&self.bytes);
        if letter.is_enclosed
            && let Some(enclosure) = self.enclosures.front_mut()
        {
            sqe.opcode = io_uring::opcode::SendMsg::CODE;
            *sqe = enclosure.describe(address, bytes).named_in(*sqe);
            return;
        }
        sqe.opcode = io_uring::opcode::Send::CODE;
        sqe.set_memory(bytes.as_ptr(), bytes.len());
        if !address.is_empty() {
            sqe.offset = address.as_ptr().expose_provenance() as u64;
            sqe.file_index = address_len(address);
        }
    }

    /// Sends the first one now, if that is possible without waiting.
    #[inline]
    pub(super) fn send_now(&mut self, socket: BorrowedFd<'_>, flags: i32) -> io::Result<()> {
        let letter = self.letters[self.sent];
        let (address, bytes) = letter.parts(&self.bytes);
        let flags = flags | libc::MSG_DONTWAIT;
        let sent = if letter.is_enclosed
            && let Some(enclosure) = self.enclosures.front_mut()
        {
            let header = std::ptr::from_mut(enclosure.describe(address, bytes));
            // SAFETY: N4, what the header names is there.
            unsafe { libc::sendmsg(socket.as_raw_fd(), header.cast(), flags) }
        } else {
            let to = if address.is_empty() {
                std::ptr::null()
            } else {
                address.as_ptr()
            };
            let (socket, len) = (socket.as_raw_fd(), socket_len(address));
            // SAFETY: N4, the bytes and the address are there.
            unsafe {
                libc::sendto(
                    socket,
                    bytes.as_ptr().cast(),
                    bytes.len(),
                    flags,
                    to.cast(),
                    len,
                )
            }
        };
        if sent < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }
}

impl Letter {
    /// Its address and its bytes, among those of all.
    #[inline]
    fn parts(self, bytes: &[u8]) -> (&[u8], &[u8]) {
        let (before, bytes) = bytes.split_at(self.start);
        let address = &before[self.start - usize::from(self.address_len)..];
        (address, &bytes[..self.len])
    }
}

impl Enclosure {
    #[cold]
    fn new(ancillary: Ancillary) -> Box<Self> {
        Box::new(Self {
            ancillary,
            header: MsgHeader::default(),
            bytes: [0; 2],
        })
    }

    #[cold]
    fn describe(&mut self, address: &[u8], bytes: &[u8]) -> &mut MsgHeader {
        self.bytes = [bytes.as_ptr().expose_provenance(), bytes.len()];
        let (control, control_len) = self.ancillary.to_send();
        self.header = MsgHeader {
            name: address.as_ptr().expose_provenance(),
            name_len: socket_len(address),
            buffers: self.bytes.as_ptr().expose_provenance(),
            buffers_count: 1,
            control,
            control_len,
            flags: 0,
        };
        &mut self.header
    }
}

#[inline]
fn socket_len(address: &[u8]) -> u32 {
    u32::try_from(address.len()).expect("an address is short")
}

/// An idle queue keeps two buffers of this size at most.
const KEPT_BYTES: usize = 32 * 1024;

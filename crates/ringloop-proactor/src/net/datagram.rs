//! A datagram that was received, and the buffer that it came in.

use std::fmt;
use std::io;
use std::ops::Deref;
use std::os::fd::OwnedFd;

use crate::buf::Chunk;
use crate::ops::address::SocketAddress;
use crate::ops::ancillary::{Ancillary, AncillaryMessage, message_at};

/// A received datagram, lent without a copy. Dropping it gives the buffer back.
///
/// Descriptors that came with it and are not taken are closed.
#[derive(Debug)]
pub struct Datagram {
    pub(super) bytes: Chunk,
    pub(super) note: DatagramNote,
    pub(super) segment_bytes: Option<usize>,
    pub(super) ancillary: Option<Box<Ancillary>>,
}

/// What is known of a received datagram besides its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatagramNote {
    /// How many bytes were received. After a copy: into the caller's buffer.
    pub count: usize,
    /// Who has sent it. `None` if the sender has no name, as unix sockets may have none.
    pub peer: Option<SocketAddress>,
    /// The datagram was longer than the room for it, and the rest is gone.
    pub is_truncated: bool,
}

impl Datagram {
    /// Returns who has sent it. `None` if the sender has no name.
    #[must_use]
    pub fn peer(&self) -> Option<&SocketAddress> {
        self.note.peer.as_ref()
    }

    /// Returns whether the datagram was longer than the buffers for it, and the rest is gone.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        self.note.is_truncated
    }

    /// Returns the length of each of the datagrams that the kernel has put together in this one.
    /// The last may be shorter. `None` if it is a single one.
    #[must_use]
    #[doc(alias = "UDP_GRO")]
    pub fn segment_bytes(&self) -> Option<usize> {
        self.segment_bytes
    }

    /// Takes what came beside the bytes: descriptors, credentials.
    #[must_use]
    pub fn take_ancillary(&mut self) -> Ancillary {
        self.ancillary
            .take()
            .map_or_else(Ancillary::new, |data| *data)
    }

    /// Returns the messages that came beside the bytes, except those that brought descriptors.
    pub fn messages(&self) -> impl Iterator<Item = AncillaryMessage<'_>> {
        let ancillary = self.ancillary.iter();
        ancillary.flat_map(|ancillary| ancillary.messages())
    }

    /// Takes the descriptors that came with it, closed on exec; none if none came.
    ///
    /// # Errors
    ///
    /// As [`Ancillary::take_descriptors`].
    pub fn take_descriptors(&mut self) -> io::Result<Vec<OwnedFd>> {
        match &mut self.ancillary {
            Some(ancillary) => ancillary.take_descriptors(),
            None => Ok(Vec::new()),
        }
    }

    /// Returns the bytes alone.
    #[must_use]
    pub fn into_bytes(self) -> Chunk {
        self.bytes
    }
}

impl Deref for Datagram {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for Datagram {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// How the kernel lays a received message out: `struct io_uring_recvmsg_out`, then the rooms for
/// the address and the ancillary data, then the bytes.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub(super) name_room: usize,
    pub(super) control_room: usize,
}

impl Layout {
    /// Where the bytes of a datagram begin.
    #[inline]
    pub(super) fn prefix(self) -> usize {
        HEADER + self.name_room + self.control_room
    }

    /// Takes a buffer apart. The kernel has written at least the prefix.
    #[inline]
    pub(super) fn open(self, buffer: &[u8]) -> Envelope<'_> {
        let (header, rest) = buffer.split_at(HEADER);
        let (name, rest) = rest.split_at(self.name_room);
        let (control, bytes) = rest.split_at(self.control_room);
        let field = |at: usize| {
            let field = header[at..].first_chunk();
            u32::from_ne_bytes(*field.expect("there are four fields"))
        };
        let name_len = (field(0) as usize).min(name.len());
        let control_len = (field(4) as usize).min(control.len());
        Envelope {
            name: &name[..name_len],
            control,
            control_len,
            flags: field(12).cast_signed(),
            bytes,
        }
    }

    /// Writes the header of a message that was received without a provided buffer.
    pub(super) fn write_header(buffer: &mut [u8], name_len: u32, control_len: u32, flags: i32) {
        let fields = [name_len, control_len, 0, flags.cast_unsigned()];
        for (room, field) in buffer[..HEADER].chunks_exact_mut(4).zip(fields) {
            room.copy_from_slice(&field.to_ne_bytes());
        }
    }
}

/// A received message, taken apart.
pub(super) struct Envelope<'a> {
    pub(super) name: &'a [u8],
    /// The whole room for ancillary data.
    control: &'a [u8],
    control_len: usize,
    pub(super) flags: i32,
    pub(super) bytes: &'a [u8],
}

impl Envelope<'_> {
    #[inline]
    pub(super) fn peer(&self) -> Option<SocketAddress> {
        SocketAddress::from_bytes(self.name).ok()
    }

    #[inline]
    pub(super) fn is_truncated(&self) -> bool {
        self.flags & libc::MSG_TRUNC != 0
    }

    /// The length of the datagrams that were put together.
    #[inline]
    pub(super) fn segment_bytes(&self) -> Option<usize> {
        if self.control_len == 0 {
            return None;
        }
        self.find_segment_bytes()
    }

    #[cold]
    fn find_segment_bytes(&self) -> Option<usize> {
        let mut at = 0;
        while let Some(message) = message_at(&self.control[..self.control_len], at) {
            if (message.level, message.kind) == (libc::SOL_UDP, libc::UDP_GRO) {
                let bytes = i32::from_ne_bytes(*message.payload.first_chunk()?);
                let bytes = usize::try_from(bytes).ok()?;
                return (1..self.bytes.len()).contains(&bytes).then_some(bytes);
            }
            at += Ancillary::room_for(message.payload.len());
        }
        None
    }

    /// What came beside the bytes. Taken once: descriptors are owned from then on.
    #[inline]
    pub(super) fn ancillary(&self) -> Option<Box<Ancillary>> {
        let is_empty = self.control_len == 0 && self.flags & libc::MSG_CTRUNC == 0;
        if is_empty {
            return None;
        }
        self.copy_ancillary()
    }

    #[cold]
    fn copy_ancillary(&self) -> Option<Box<Ancillary>> {
        let copy = Ancillary::copy_received(self.control, self.control_len, self.flags);
        Some(Box::new(copy))
    }
}

impl fmt::Debug for Envelope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("len", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// `sizeof(struct io_uring_recvmsg_out)`.
pub(super) const HEADER: usize = 16;

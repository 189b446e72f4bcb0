//! Where the parts of a received message are in its buffer.

use std::fmt;

use crate::ops::address::SocketAddress;
use crate::ops::ancillary::{Ancillary, message_at};

/// How the kernel lays a received message out: `struct io_uring_recvmsg_out`, then the rooms for
/// the address and the ancillary data, then the bytes.
#[derive(Clone, Copy)]
pub(in crate::net) struct Layout {
    pub(in crate::net) name_room: usize,
    pub(in crate::net) control_room: usize,
}

impl Layout {
    /// Where the bytes of a datagram begin.
    #[inline]
    pub(in crate::net) fn prefix(self) -> usize {
        HEADER + self.name_room + self.control_room
    }

    /// Takes a buffer apart. The kernel has written at least the prefix.
    #[inline]
    pub(in crate::net) fn open(self, buffer: &[u8]) -> Envelope<'_> {
        let (head, bytes) = buffer.split_at(self.prefix());
        let (header, rooms) = head.split_at(HEADER);
        let (name, control) = rooms.split_at(self.name_room);
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
    pub(in crate::net) fn write_header(
        buffer: &mut [u8],
        name_len: u32,
        control_len: u32,
        flags: i32,
    ) {
        let fields = [name_len, control_len, 0, flags.cast_unsigned()];
        for (room, field) in buffer[..HEADER].chunks_exact_mut(4).zip(fields) {
            room.copy_from_slice(&field.to_ne_bytes());
        }
    }
}

/// A received message, taken apart.
pub(in crate::net) struct Envelope<'a> {
    pub(in crate::net) name: &'a [u8],
    /// The whole room for ancillary data.
    control: &'a [u8],
    control_len: usize,
    pub(in crate::net) flags: i32,
    pub(in crate::net) bytes: &'a [u8],
}

impl Envelope<'_> {
    pub(in crate::net) fn peer(&self) -> Option<SocketAddress> {
        SocketAddress::from_bytes(self.name).ok()
    }

    #[inline]
    pub(in crate::net) fn is_truncated(&self) -> bool {
        self.flags & libc::MSG_TRUNC != 0
    }

    /// The length of the datagrams that were put together.
    #[inline]
    pub(in crate::net) fn segment_bytes(&self) -> Option<usize> {
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
    pub(in crate::net) fn ancillary(&self) -> Option<Box<Ancillary>> {
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
pub(in crate::net) const HEADER: usize = 16;

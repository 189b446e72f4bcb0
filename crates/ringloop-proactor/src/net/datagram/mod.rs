//! A datagram that was received, and the buffer that it came in.

mod layout;

use std::io;
use std::ops::Deref;
use std::os::fd::OwnedFd;

use crate::buf::Chunk;
use crate::ops::address::SocketAddress;
use crate::ops::ancillary::{Ancillary, AncillaryMessage};

pub(super) use layout::{Envelope, HEADER, Layout};

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

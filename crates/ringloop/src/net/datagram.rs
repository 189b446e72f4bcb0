//! A received datagram, and who has sent it.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Deref;
use std::os::fd::OwnedFd;
use std::os::unix::net::SocketAddr as UnixAddr;

use ringloop_proactor::{AncillaryMessage, Chunk, SocketAddress};

/// An address that datagrams come from: of IP, or of a unix socket.
pub trait PeerAddr: sealed::FromAddress {}

impl PeerAddr for SocketAddr {}
impl PeerAddr for UnixAddr {}

pub(super) mod sealed {
    use super::{Ipv4Addr, SocketAddr, SocketAddress, UnixAddr};

    #[expect(unnameable_types, reason = "nobody else implements it")]
    pub trait FromAddress: Unpin {
        /// What the kernel wrote, a `sockaddr`, or nothing if the sender has no name.
        fn from_name(name: &[u8]) -> Self;
    }

    impl FromAddress for SocketAddr {
        #[inline]
        fn from_name(name: &[u8]) -> Self {
            let ip = SocketAddress::ip_of_bytes(name);
            ip.unwrap_or_else(|| (Ipv4Addr::UNSPECIFIED, 0).into())
        }
    }

    impl FromAddress for UnixAddr {
        fn from_name(name: &[u8]) -> Self {
            let address = SocketAddress::from_bytes(name).ok();
            let unix = address.and_then(|address| address.as_unix());
            unix.unwrap_or_else(|| {
                Self::from_pathname("").expect("an empty path is the unnamed address")
            })
        }
    }
}

/// A received datagram, lent without a copy. Dropping it gives the buffer back.
///
/// It is a `[u8]`. Descriptors that came with it and are not taken are closed.
pub struct Datagram<A = SocketAddr> {
    datagram: ringloop_proactor::Datagram,
    peer: A,
}

impl<A: PeerAddr> Datagram<A> {
    pub(super) fn new(datagram: ringloop_proactor::Datagram) -> Self {
        let peer = datagram.peer().map_or(&[][..], SocketAddress::as_bytes);
        let peer = A::from_name(peer);
        Self { datagram, peer }
    }
}

impl<A> Datagram<A> {
    /// Returns who has sent it.
    #[must_use]
    pub fn peer(&self) -> &A {
        &self.peer
    }

    /// Returns whether the datagram was longer than the buffers for it, and the rest is gone.
    #[must_use]
    #[doc(alias = "MSG_TRUNC")]
    pub fn is_truncated(&self) -> bool {
        self.datagram.is_truncated()
    }

    /// Returns the length of each of the datagrams that the kernel has put together in this one,
    /// of which the last may be shorter. `None` if it is a single one.
    #[must_use]
    #[doc(alias = "UDP_GRO")]
    pub fn segment_bytes(&self) -> Option<usize> {
        self.datagram.segment_bytes()
    }

    /// Returns the single datagrams that the kernel has put together in this one, in order.
    pub fn segments(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        let bytes = &self[..];
        let len = self.segment_bytes().unwrap_or(bytes.len()).max(1);
        // An empty datagram is one, too.
        let count = bytes.len().div_ceil(len).max(1);
        (0..count).map(move |at| &bytes[at * len..bytes.len().min((at + 1) * len)])
    }

    /// Returns the credentials that came with it: process, user and group of the sender. `None` if
    /// they were not asked for ([`UnixDatagram::set_credentials`](super::UnixDatagram::set_credentials)).
    #[must_use]
    #[doc(alias = "SCM_CREDENTIALS")]
    pub fn credentials(&self) -> Option<PeerCredentials> {
        self.datagram
            .messages()
            .find_map(|message| PeerCredentials::of(&message))
    }

    /// Takes the descriptors that came with it, closed on exec; none if none came.
    ///
    /// # Errors
    ///
    /// `InvalidData` if there was no room for all of them. Those that there was room for have been
    /// closed.
    #[doc(alias = "SCM_RIGHTS")]
    pub fn take_descriptors(&mut self) -> io::Result<Vec<OwnedFd>> {
        self.datagram.take_descriptors()
    }

    /// Returns the bytes alone.
    #[must_use]
    pub fn into_bytes(self) -> Chunk {
        self.datagram.into_bytes()
    }
}

/// Who has sent a message through a unix socket, or is at the other end of one, as the kernel
/// vouches for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerCredentials {
    /// The process.
    pub pid: i32,
    /// The effective user, or one that the sender may claim to be.
    pub uid: u32,
    /// The effective group, or one that the sender may claim to be.
    pub gid: u32,
}

impl PeerCredentials {
    /// Those that the message is, if it is some: a `ucred`.
    pub(super) fn of(message: &AncillaryMessage<'_>) -> Option<Self> {
        let is_it = (message.level, message.kind) == (libc::SOL_SOCKET, libc::SCM_CREDENTIALS);
        let field = |at: usize| Some(*message.payload.get(at..)?.first_chunk()?);
        let number = |at| field(at).map(u32::from_ne_bytes);
        is_it.then_some(())?;
        Some(Self {
            pid: i32::from_ne_bytes(field(0)?),
            uid: number(4)?,
            gid: number(8)?,
        })
    }
}

impl<A> Deref for Datagram<A> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.datagram
    }
}

impl<A> AsRef<[u8]> for Datagram<A> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<A: fmt::Debug> fmt::Debug for Datagram<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Datagram")
            .field("len", &self.len())
            .field("peer", &self.peer)
            .field("segment_bytes", &self.segment_bytes())
            .field("is_truncated", &self.is_truncated())
            .finish()
    }
}

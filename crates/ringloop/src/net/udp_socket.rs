//! A UDP socket.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use ringloop_proactor::{DatagramReceiver, DatagramSender};
use socket2::SockRef;

use super::addr::{ToSocketAddrs, first_that_works};
use super::check::{Kind, check};
use super::datagram_methods::datagram_socket;
use super::datagram_waits::{SendDatagram, Target, try_send};
use super::ip;
use super::udp_builder::UdpBuilder;
use crate::context;

/// A socket for datagrams. Counterpart: `std::net::UdpSocket`, asyncio's datagram endpoints.
///
/// Datagrams that arrive belong to the socket: a receive that is dropped or cancelled loses none.
/// From the first receive on, they are taken in, into a bounded queue; while that is full, they wait
/// in the kernel's receive buffer, which drops what does not fit, as UDP does.
///
/// Datagrams that are sent go into the socket's send queue and out with the turn's batch, in order;
/// a socket that is dropped sends what it holds, then closes.
///
/// An error that an ICMP message brings, as "connection refused", is told once, by the next receive
/// or send, and is not fatal. All methods borrow the socket shared, so that several tasks may receive
/// and send on it; they are served in the order in which they came.
///
/// # Examples
///
/// ```
/// use ringloop::net::UdpSocket;
///
/// ringloop::run(async {
///     let server = UdpSocket::bind("127.0.0.1:0").await?;
///     let client = UdpSocket::bind("127.0.0.1:0").await?;
///     client.send_to(b"hello", server.local_addr()?).await?;
///     let mut buf = [0; 1500];
///     let (count, peer) = server.recv_from(&mut buf).await?;
///     assert_eq!(&buf[..count], b"hello");
///     server.send_to(b"back", peer).await?;
///     assert_eq!(client.recv(&mut buf).await?, 4);
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("create_datagram_endpoint", "DatagramTransport"))]
pub struct UdpSocket {
    receiver: DatagramReceiver,
    sender: DatagramSender,
}

impl UdpSocket {
    /// Binds a socket to an address; of several, to the first that works.
    ///
    /// # Errors
    ///
    /// `AddrInUse`, `PermissionDenied` and what else `bind(2)` says; `InvalidInput` for what is not
    /// an address.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Self::builder().bind(address).await
    }

    /// Makes a socket whose options have to be set before it is bound.
    pub fn builder() -> UdpBuilder {
        UdpBuilder::default()
    }

    /// Takes a socket that was made elsewhere, for options that have to be set before it is bound.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is none: not an internet datagram socket. As `fcntl(2)`.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub fn from_std(socket: std::net::UdpSocket) -> io::Result<Self> {
        check(socket.as_fd(), Kind::UdpSocket)?;
        // The ring waits by itself; of a socket that does not want to wait, it says so at once.
        socket.set_nonblocking(false)?;
        Ok(Self::from_fd(socket.into()))
    }

    #[track_caller]
    pub(super) fn from_fd(socket: OwnedFd) -> Self {
        let fd = context::current().proactor.adopt(socket);
        Self {
            receiver: DatagramReceiver::ip(fd.clone()),
            sender: DatagramSender::new(fd),
        }
    }

    /// Sets where [`send`](Self::send) sends to, and from whom alone datagrams are received from
    /// now on. What has arrived before stays.
    ///
    /// # Errors
    ///
    /// As `connect(2)`, of the last address; `InvalidInput` for what is not an address.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    pub async fn connect(&self, address: impl ToSocketAddrs) -> io::Result<()> {
        let addresses = address.to_socket_addrs().await?;
        let connect = async |address: SocketAddr| self.socket().connect(&address.into());
        first_that_works(&addresses, connect).await
    }

    /// Queues a datagram if there is room for it and nobody waits to send.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the queue is full; as [`send_to`](Self::send_to).
    pub fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        try_send(&self.sender, buf, Some(&target.into()))
    }

    /// Queues a datagram to an address, to the first if there are several, and waits only while the
    /// send queue is full.
    ///
    /// # Errors
    ///
    /// As `sendto(2)`, of an earlier datagram, once: then this one is not sent. `InvalidInput` for
    /// what is not an address; a cancelled scope. [`flush`](Self::flush) tells errors, too.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    #[inline]
    #[doc(alias = "sock_sendto")]
    pub fn send_to<'a>(
        &'a self,
        buf: &'a [u8],
        target: impl ToSocketAddrs + 'a,
    ) -> SendDatagram<'a> {
        self.send_in_segments(buf, target, None)
    }

    /// Queues many datagrams as one: `buf` is cut into datagrams of `segment_bytes`, of which the
    /// last may be shorter, by the kernel or the network card.
    ///
    /// That is several times faster than single ones. There may be 64 of them, with 65,507 bytes in
    /// all, and each has to fit into a packet. Counterpart: `UDP_SEGMENT` of `udp(7)`.
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    #[doc(alias = "UDP_SEGMENT")]
    pub fn send_segmented<'a>(
        &'a self,
        buf: &'a [u8],
        segment_bytes: u16,
        target: impl ToSocketAddrs + 'a,
    ) -> SendDatagram<'a> {
        self.send_in_segments(buf, target, Some(segment_bytes))
    }

    #[track_caller]
    #[inline]
    fn send_in_segments<'a>(
        &'a self,
        buf: &'a [u8],
        target: impl ToSocketAddrs + 'a,
        segment_bytes: Option<u16>,
    ) -> SendDatagram<'a> {
        let target = match target.as_socket_addr() {
            Some(address) => Target::Ip(address, segment_bytes),
            None => look_up(target, segment_bytes),
        };
        SendDatagram::new(&self.sender, buf, target)
    }

    /// Lets the kernel put datagrams of one sender that arrive together into one, or not.
    ///
    /// That is several times faster where many come from one sender. [`recv_from`](Self::recv_from)
    /// cuts them apart again; [`recv_datagram`](Self::recv_datagram) lends them in one piece, with
    /// their length. Counterpart: `UDP_GRO` of `udp(7)`.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "UDP_GRO")]
    pub fn set_gro(&self, coalesces: bool) -> io::Result<()> {
        self.receiver.set_gro(coalesces)
    }

    /// Returns the address that the socket is bound to.
    ///
    /// # Errors
    ///
    /// As `getsockname(2)`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        ip(self.socket().local_addr()?)
    }

    /// Returns the address that the socket is connected to.
    ///
    /// # Errors
    ///
    /// As `getpeername(2)`: `NotConnected`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        ip(self.socket().peer_addr()?)
    }

    pub(super) fn socket(&self) -> SockRef<'_> {
        SockRef::from(self)
    }
}

datagram_socket!(UdpSocket, SocketAddr, std::net::UdpSocket);

/// The address behind a name.
#[cold]
fn look_up<'a>(target: impl ToSocketAddrs + 'a, segment_bytes: Option<u16>) -> Target<'a> {
    let address = async move {
        let addresses = target.to_socket_addrs().await?;
        let nothing = || {
            let text = "the name stands for no socket address";
            io::Error::new(io::ErrorKind::InvalidInput, text)
        };
        addresses.first().copied().ok_or_else(nothing)
    };
    Target::LookedUp(Box::pin(address), segment_bytes)
}

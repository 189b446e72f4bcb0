//! A datagram socket of the unix family.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

use ringloop_proactor::{
    DatagramReceiver, DatagramReceiverStats, DatagramSender, Enclosed, SocketAddress,
};
use socket2::SockRef;

use super::check::{Kind, check};
use super::datagram::{FlushDatagrams, Recv, RecvDatagram, RecvFrom, SendDatagram, Target};
use super::datagram::{try_recv_from, try_send};
use super::datagrams::Datagrams;
use super::plain;
use crate::context;

/// A datagram socket of the unix family. Counterpart: `std::os::unix::net::UnixDatagram`.
///
/// What is said of a [`UdpSocket`](super::UdpSocket) goes for it, too; but nothing is dropped on the
/// way, and the order is kept: a sender waits while the receiver is full.
///
/// Descriptors may be sent along. They are received if the socket has room for them
/// ([`with_descriptors`](Self::with_descriptors)); else the kernel closes them.
///
/// # Examples
///
/// ```
/// use ringloop::net::UnixDatagram;
/// use std::os::fd::AsFd;
///
/// ringloop::run(async {
///     let (near, far) = UnixDatagram::pair()?;
///     let far = far.with_descriptors(1);
///     let file = std::fs::File::open("/dev/null")?;
///     near.send_with_descriptors(b"a file", &[file.as_fd()]).await?;
///     let mut datagram = far.recv_datagram().await?;
///     assert_eq!(&datagram[..], b"a file");
///     assert_eq!(datagram.take_descriptors()?.len(), 1);
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct UnixDatagram {
    receiver: DatagramReceiver,
    sender: DatagramSender,
}

impl UnixDatagram {
    /// Makes a socket with a path, which has to be free. It stays when the socket is dropped.
    ///
    /// # Errors
    ///
    /// `AddrInUse` and what else `bind(2)` says; `InvalidInput` for a path that is too long.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::from_std(net::UnixDatagram::bind(path)?)
    }

    /// Makes a socket with an address, which may be an abstract name.
    ///
    /// # Errors
    ///
    /// `AddrInUse` and what else `bind(2)` says.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub fn bind_addr(address: &SocketAddr) -> io::Result<Self> {
        Self::from_std(net::UnixDatagram::bind_addr(address)?)
    }

    /// Makes a socket without a name, to which nobody can send.
    ///
    /// # Errors
    ///
    /// As `socket(2)`.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub fn unbound() -> io::Result<Self> {
        Self::from_std(net::UnixDatagram::unbound()?)
    }

    /// Makes two sockets that are connected to each other.
    ///
    /// # Errors
    ///
    /// As `socketpair(2)`.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub fn pair() -> io::Result<(Self, Self)> {
        let (near, far) = net::UnixDatagram::pair()?;
        Ok((Self::from_std(near)?, Self::from_std(far)?))
    }

    /// Takes a socket that was made elsewhere.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is none: not a unix datagram socket. As `fcntl(2)`.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub fn from_std(socket: net::UnixDatagram) -> io::Result<Self> {
        check(socket.as_fd(), Kind::UnixDatagram)?;
        // The ring waits by itself; of a socket that does not want to wait, it says so at once.
        socket.set_nonblocking(false)?;
        let fd = context::current().proactor.adopt(OwnedFd::from(socket));
        Ok(Self {
            receiver: DatagramReceiver::unix(fd.clone(), 0),
            sender: DatagramSender::new(fd),
        })
    }

    /// Gives the socket back to std, which waits in the kernel, not on the loop.
    ///
    /// What was sent goes out. What was received and not taken is lost.
    ///
    /// # Errors
    ///
    /// As `dup(2)`.
    pub fn into_std(self) -> io::Result<net::UnixDatagram> {
        Ok(self.as_fd().try_clone_to_owned()?.into())
    }

    /// Makes room for at least so many descriptors with each datagram; 253 are the most that may
    /// come. To be called before the first receive; what was received before and not taken is lost.
    ///
    /// Without it, the kernel closes descriptors that come along: nobody who sends can fill the
    /// process's table.
    #[must_use = "it is a socket"]
    #[doc(alias = "SCM_RIGHTS")]
    pub fn with_descriptors(self, count_max: usize) -> Self {
        let fd = self.receiver.fd().clone();
        Self {
            receiver: DatagramReceiver::unix(fd, count_max),
            sender: self.sender,
        }
    }

    /// Sets where [`send`](Self::send) sends to, and from whom alone datagrams are received.
    ///
    /// # Errors
    ///
    /// As `connect(2)`: `NotFound`, `ConnectionRefused`; `InvalidInput` for a path that is too long.
    #[doc(alias = "connect_addr")]
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.connect_addr(&SocketAddr::from_pathname(path)?)
    }

    /// As [`connect`](Self::connect), to an address, which may be an abstract name.
    ///
    /// # Errors
    ///
    /// As `connect(2)`: `NotFound`, `ConnectionRefused`.
    pub fn connect_addr(&self, address: &SocketAddr) -> io::Result<()> {
        // std's method only works on a socket of its own; what it does is a property of both.
        let socket = net::UnixDatagram::from(self.as_fd().try_clone_to_owned()?);
        socket.connect_addr(address)
    }

    /// Receives a datagram and tells who has sent it. What does not fit into `buf` is gone.
    ///
    /// # Errors
    ///
    /// As `recvmsg(2)`; a cancelled scope.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect; a datagram that
    /// arrives later waits for the next receive.
    #[track_caller]
    #[inline]
    pub fn recv_from<'a>(&'a self, buf: &'a mut [u8]) -> RecvFrom<'a, SocketAddr> {
        RecvFrom::new(&self.receiver, buf, true)
    }

    /// Receives a datagram. What does not fit into `buf` is gone.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    #[inline]
    pub fn recv<'a>(&'a self, buf: &'a mut [u8]) -> Recv<'a> {
        Recv::new(&self.receiver, buf, true)
    }

    /// Lends the next datagram without a copy, with what came beside it.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    #[doc(alias = "recv_vectored_with_ancillary")]
    pub fn recv_datagram(&self) -> RecvDatagram<'_, SocketAddr> {
        RecvDatagram::new(&self.receiver)
    }

    /// Returns the datagrams that the socket receives as a stream.
    pub fn datagrams(&self) -> Datagrams<'_, SocketAddr> {
        Datagrams::new(&self.receiver)
    }

    /// Receives a datagram if one has arrived and nobody waits for it.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none, and at the first call, which begins to receive; as
    /// [`recv_from`](Self::recv_from).
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        try_recv_from(&self.receiver, buf)
    }

    /// Copies the next datagram, which stays, and tells who has sent it.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    pub fn peek_from<'a>(&'a self, buf: &'a mut [u8]) -> RecvFrom<'a, SocketAddr> {
        RecvFrom::new(&self.receiver, buf, false)
    }

    /// Copies the next datagram, which stays.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    pub fn peek<'a>(&'a self, buf: &'a mut [u8]) -> Recv<'a> {
        Recv::new(&self.receiver, buf, false)
    }

    /// Queues a datagram to where the socket is connected to, and waits only while the send queue
    /// is full.
    ///
    /// # Errors
    ///
    /// As `sendto(2)`, of an earlier datagram, once: then this one is not sent; a cancelled scope.
    /// [`flush`](Self::flush) tells errors, too.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    #[inline]
    pub fn send<'a>(&'a self, buf: &'a [u8]) -> SendDatagram<'a> {
        SendDatagram::new(&self.sender, buf, Target::Connected(Enclosed::default()))
    }

    /// Queues a datagram to a path, and waits only while the send queue is full.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send). A path that is too long is `InvalidInput`, and told at once.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    pub async fn send_to(&self, buf: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        self.send_to_addr(buf, &SocketAddr::from_pathname(path)?)
            .await
    }

    /// Queues a datagram to an address, which may be an abstract name.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    pub fn send_to_addr<'a>(&'a self, buf: &'a [u8], address: &SocketAddr) -> SendDatagram<'a> {
        let target = Target::Unix(Box::new(SocketAddress::from(address.clone())));
        SendDatagram::new(&self.sender, buf, target)
    }

    /// Queues a datagram with descriptors for the receiver, 253 at most. They are duplicated, so
    /// the caller may close them at once.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send) and `dup(2)`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    #[doc(alias("SCM_RIGHTS", "send_fds"))]
    pub fn send_with_descriptors<'a>(
        &'a self,
        buf: &'a [u8],
        descriptors: &'a [BorrowedFd<'a>],
    ) -> SendDatagram<'a> {
        let enclosed = Enclosed::descriptors(descriptors);
        SendDatagram::new(&self.sender, buf, Target::Connected(enclosed))
    }

    /// Queues a datagram if there is room for it and nobody waits to send.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if the queue is full; as [`send`](Self::send).
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        try_send(&self.sender, buf, None)
    }

    /// Waits until the kernel has taken every datagram that was sent, and tells the error of one.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    pub fn flush(&self) -> FlushDatagrams<'_> {
        FlushDatagrams::new(&self.sender)
    }

    /// Lets each datagram bring the credentials of its sender, or not.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    #[doc(alias = "SO_PASSCRED")]
    pub fn set_credentials(&self, come_along: bool) -> io::Result<()> {
        SockRef::from(self).set_passcred(come_along)
    }

    /// Returns the address that the socket is bound to.
    ///
    /// # Errors
    ///
    /// As `getsockname(2)`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        net::UnixDatagram::from(self.as_fd().try_clone_to_owned()?).local_addr()
    }

    /// Returns the address that the socket is connected to.
    ///
    /// # Errors
    ///
    /// As `getpeername(2)`: `NotConnected`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        net::UnixDatagram::from(self.as_fd().try_clone_to_owned()?).peer_addr()
    }

    /// Takes the error of the socket that nobody has been told.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        SockRef::from(self).take_error()
    }

    /// Returns what has been received and what waits.
    #[must_use]
    pub fn stats(&self) -> DatagramReceiverStats {
        self.receiver.stats()
    }
}

impl AsFd for UnixDatagram {
    fn as_fd(&self) -> BorrowedFd<'_> {
        plain(self.sender.fd())
    }
}

impl AsRawFd for UnixDatagram {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixDatagram")
            .field("receiver", &self.receiver)
            .field("sender", &self.sender)
            .finish()
    }
}

//! A datagram socket of the unix family.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

use ringloop_proactor::{DatagramReceiver, DatagramSender, Enclosed, SocketAddress};
use socket2::SockRef;

use super::check::{Kind, check};
use super::datagram_methods::datagram_socket;
use super::datagram_waits::{SendDatagram, Target};
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
}

datagram_socket!(UnixDatagram, SocketAddr, net::UnixDatagram);

//! A unix stream connection.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

use ringloop_proactor::{Fd, OpError};
use socket2::Domain;

use super::check::{Kind, check};
use super::connecting::connected;
use super::connection::Connection;
use super::datagram::PeerCredentials;
use super::fd_stream::FdStream;
use super::methods::stream;
use super::unix_addr::{peer_of, unix};
use crate::context;

/// A connection between two programs of one machine. Counterpart:
/// `std::os::unix::net::UnixStream`.
///
/// It reads and writes as a [`TcpStream`](super::TcpStream) does: bytes that arrive belong to the
/// stream, and a stream that is dropped sends what it holds, then closes.
///
/// # Examples
///
/// ```
/// use ringloop::net::UnixStream;
///
/// ringloop::run(async {
///     let (mut near, mut far) = UnixStream::pair()?;
///     near.write_all(b"hello").await?;
///     near.shutdown().await?;
///     let mut text = Vec::new();
///     far.read_to_end(&mut text).await?;
///     assert_eq!(text, b"hello");
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "open_unix_connection")]
pub struct UnixStream {
    connection: Connection,
}

impl UnixStream {
    /// Connects to the socket with this path.
    ///
    /// # Errors
    ///
    /// `NotFound`, `ConnectionRefused` and what else `connect(2)` says; `InvalidInput` for a path
    /// that is too long for an address; a cancelled scope.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, the attempt is given up and its
    /// socket is closed.
    pub async fn connect(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::connect_addr(&SocketAddr::from_pathname(path)?).await
    }

    /// Connects to the socket with this address, which may be an abstract name.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    ///
    /// # Cancel safety
    ///
    /// As [`connect`](Self::connect).
    pub async fn connect_addr(address: &SocketAddr) -> io::Result<Self> {
        let address = address.clone().into();
        connected(Domain::UNIX, address, |_| Ok(()))
            .await
            .map(Self::from_fd)
    }

    /// Makes two streams that are connected with each other.
    ///
    /// # Errors
    ///
    /// As `socketpair(2)`.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    #[doc(alias = "socketpair")]
    pub fn pair() -> io::Result<(Self, Self)> {
        let proactor = &context::current().proactor;
        let adopt = |end| Self::from_fd(proactor.adopt(OwnedFd::from(end)));
        net::UnixStream::pair().map(|(near, far)| (adopt(near), adopt(far)))
    }

    /// Returns who is at the other end, as it was when it connected, listened or made the pair.
    ///
    /// Who has sent which bytes it cannot tell: it receives into buffers that all streams share, and the
    /// kernel puts no credentials beside those. An [`FdStream`] receives messages, and
    /// [has them](FdStream::set_credentials).
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`.
    #[doc(alias("SO_PEERCRED", "SO_PASSCRED"))]
    pub fn peer_cred(&self) -> io::Result<PeerCredentials> {
        peer_of(self.connection.fd())
    }

    /// Takes a connected socket that was made elsewhere, blocking or not.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is none: not a unix stream socket, or listening.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub fn from_std(stream: net::UnixStream) -> io::Result<Self> {
        let socket = OwnedFd::from(stream);
        check(socket.as_fd(), Kind::UnixStream)?;
        Ok(Self::from_fd(context::current().proactor.adopt(socket)))
    }

    /// Flushes, and makes a stream of the connection that carries descriptors.
    ///
    /// It is for a stream that nothing has been read from. Once there was a read, the kernel
    /// receives ahead, and closes descriptors that come; the bytes are kept.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush); the stream is closed then.
    ///
    /// # Cancel safety
    ///
    /// Cancelled or dropped before it completes, the stream is closed once it has sent what it
    /// holds.
    pub async fn into_fd_stream(mut self) -> io::Result<FdStream> {
        self.flush().await?;
        let received = self.connection.stop().await?;
        Ok(FdStream::with(self.connection.fd().clone(), received))
    }

    /// Gives the socket back to std, and the bytes that had come and nobody has read.
    ///
    /// The loop receives ahead: it is told to stop first, so that all bytes that come later stay in
    /// the socket. Before that, everything written is sent. The socket blocks or not as it did
    /// before; one that was made here blocks.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush) and `dup(2)`, also the error of the connection if nothing came
    /// before it. The stream comes back in the error.
    ///
    /// # Cancel safety
    ///
    /// Cancelled while it flushes, the stream comes back. Dropped before it completes, the stream
    /// is dropped.
    pub async fn into_std(mut self) -> Result<(net::UnixStream, Vec<u8>), OpError<Self>> {
        if let Err(error) = self.flush().await {
            return Err(OpError::new(error, self));
        }
        match self.connection.detach().await {
            Ok((fd, received)) => Ok((fd.into(), received)),
            Err(error) => Err(OpError::new(error, self)),
        }
    }

    pub(super) fn from_fd(fd: Fd) -> Self {
        Self {
            connection: Connection::new(fd),
        }
    }
}

stream!(UnixStream, SocketAddr, unix);

//! A TCP connection.

use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};

use ringloop_proactor::Fd;
use socket2::{Domain, SockRef};

use super::addr::{ToSocketAddrs, first_that_works};
use super::check::{Kind, check};
use super::connection::Connection;
use super::ip;
use super::methods::stream;
use crate::cancellable::Cancellable;
use crate::context;

/// A connection. Counterpart: `std::net::TcpStream`, asyncio's reader and writer in one.
///
/// Bytes that arrive belong to the stream: a read that is dropped or cancelled loses none. Bytes
/// that are written go into the stream's send queue and out with the turn's batch; a stream that
/// is dropped sends what it holds, then closes.
///
/// # Examples
///
/// ```
/// use ringloop::net::{TcpListener, TcpStream};
///
/// ringloop::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let mut near = TcpStream::connect(listener.local_addr()?).await?;
///     let (mut far, _) = listener.accept().await?;
///     near.write_all(b"hello").await?;
///     near.shutdown().await?;
///     let mut text = Vec::new();
///     far.read_to_end(&mut text).await?;
///     assert_eq!(text, b"hello");
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("StreamReader", "StreamWriter"))]
pub struct TcpStream {
    connection: Connection,
}

impl TcpStream {
    /// Connects to an address; of several, to the first that answers.
    ///
    /// # Errors
    ///
    /// `ConnectionRefused`, `TimedOut` and what else `connect(2)` says of the last address;
    /// `InvalidInput` for what is not an address; a cancelled scope.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, the attempt is given up and its
    /// socket is closed.
    #[doc(alias("open_connection", "create_connection"))]
    pub async fn connect(address: impl ToSocketAddrs) -> io::Result<Self> {
        let addresses = address.to_socket_addrs().await?;
        first_that_works(&addresses, Self::connect_to).await
    }

    async fn connect_to(address: SocketAddr) -> io::Result<Self> {
        let proactor = context::current().proactor.clone();
        let domain = Domain::for_address(address).into();
        let socket = Cancellable::new(proactor.socket(domain, libc::SOCK_STREAM, 0)).await?;
        let fd = proactor.adopt(socket);
        Cancellable::new(proactor.connect(&fd, address)).await?;
        Ok(Self::from_fd(fd))
    }

    /// Takes a connected socket that was made elsewhere, blocking or not.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is none: not an internet stream socket, or listening.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub fn from_std(stream: net::TcpStream) -> io::Result<Self> {
        let socket = OwnedFd::from(stream);
        check(socket.as_fd(), Kind::TcpStream)?;
        Ok(Self::from_fd(context::current().proactor.adopt(socket)))
    }

    pub(super) fn from_fd(fd: Fd) -> Self {
        Self {
            connection: Connection::new(fd),
        }
    }

    /// Sends small writes at once (`true`) or gathers them while others are under way.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        SockRef::from(self).set_tcp_nodelay(nodelay)
    }
}

stream!(TcpStream, SocketAddr, ip);

//! A TCP connection.

use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};

use ringloop_proactor::{Fd, OpError};

use super::addr::ToSocketAddrs;
use super::check::{Kind, check};
use super::connection::Connection;
use super::ip;
use super::methods::stream;
use super::tcp_stream_builder::TcpStreamBuilder;
use crate::context;
use crate::io::AsyncBufRead;

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
    /// Of several addresses, those of IPv6 and IPv4 take turns. The next one is tried when the one
    /// before has failed or has not answered for 250 ms (RFC 8305); the first connection stays, and
    /// the others are given up.
    ///
    /// There is no time limit but the kernel's: put a [`timeout`](crate::timeout) around it.
    ///
    /// # Errors
    ///
    /// `ConnectionRefused`, `TimedOut` and what else `connect(2)` says; of several addresses all
    /// that was said, in a [`ConnectError`](super::ConnectError) inside. `InvalidInput` for what is
    /// not an address; a cancelled scope.
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
        /// It has no options.
        static PLAIN: TcpStreamBuilder = TcpStreamBuilder::new();
        PLAIN.connect_by_ref(address).await
    }

    /// Begins to connect with options.
    pub fn builder() -> TcpStreamBuilder {
        TcpStreamBuilder::new()
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
    pub async fn into_std(mut self) -> Result<(net::TcpStream, Vec<u8>), OpError<Self>> {
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

    /// Copies the next received bytes into `buf`, and leaves them to the next read; zero at the end
    /// of the stream.
    ///
    /// What has arrived in several pieces is shown a piece at a time: there may be more.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    #[doc(alias = "MSG_PEEK")]
    pub fn peek(&mut self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> {
        let filled = self.fill_buf();
        async move {
            let bytes = filled.await?;
            let count = bytes.len().min(buf.len());
            buf[..count].copy_from_slice(&bytes[..count]);
            Ok(count)
        }
    }
}

stream!(TcpStream, SocketAddr, ip);

//! A TCP connection.

use std::fmt;
use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::task::{Context, Poll, ready};

use ringloop_proactor::{Chunk, Fd, Receiver, Sender};
use socket2::{Domain, SockRef};

use super::addr::{ToSocketAddrs, first_that_works};
use super::listener::socket_addr;
use super::plain;
use crate::cancellable::Cancellable;
use crate::context;
use crate::io::{
    AsyncRead, AsyncWrite, Flush, Read, ReadExact, ReadToEnd, Shutdown, Wait, Write, WriteAll,
};

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
    receiver: Receiver,
    sender: Sender,
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

    /// Takes a connected socket that was made elsewhere.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[must_use]
    #[track_caller]
    pub fn from_std(stream: net::TcpStream) -> Self {
        Self::from_fd(context::current().proactor.adopt(OwnedFd::from(stream)))
    }

    pub(super) fn from_fd(fd: Fd) -> Self {
        Self {
            receiver: Receiver::new(fd.clone()),
            sender: Sender::new(fd),
        }
    }

    /// Reads up to `buf.len()` bytes and returns how many, zero at the end of the stream.
    ///
    /// # Errors
    ///
    /// As `recv(2)`, after everything that was received before the error; a cancelled scope is an
    /// error that [`is_cancelled`](crate::cancel::is_cancelled) tells.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect; bytes that arrive
    /// later wait for the next read.
    #[track_caller]
    #[inline]
    pub fn read<'a>(&'a mut self, buf: &'a mut [u8]) -> Read<'a, Self> {
        AsyncRead::read(self, buf)
    }

    /// Reads exactly `buf.len()` bytes.
    ///
    /// # Errors
    ///
    /// `UnexpectedEof` if the stream ends before; else as [`read`](Self::read).
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: bytes that were read before are in `buf`, and nobody tells how many.
    #[track_caller]
    #[doc(alias = "readexactly")]
    pub fn read_exact<'a>(&'a mut self, buf: &'a mut [u8]) -> ReadExact<'a, Self> {
        AsyncRead::read_exact(self, buf)
    }

    /// Appends everything up to the end of the stream to `bytes`, and returns how much that was.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: bytes that were read before are in `bytes`.
    #[track_caller]
    pub fn read_to_end<'a>(&'a mut self, bytes: &'a mut Vec<u8>) -> ReadToEnd<'a, Self> {
        AsyncRead::read_to_end(self, bytes)
    }

    /// Lends the next received bytes without a copy, an empty chunk at the end of the stream.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    pub async fn read_chunk(&mut self) -> io::Result<Chunk> {
        let mut wait = Wait::new();
        std::future::poll_fn(|cx| {
            ready!(wait.begin(cx))?;
            match self.receiver.poll_chunk(cx) {
                Poll::Ready(chunk) => Poll::Ready(chunk),
                Poll::Pending => wait.go_on(cx),
            }
        })
        .await
    }

    /// Queues some of `bytes` and returns how many.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    pub fn write<'a>(&'a mut self, bytes: &'a [u8]) -> Write<'a, Self> {
        AsyncWrite::write(self, bytes)
    }

    /// Queues all of `bytes`, and waits only while the send queue is above its high-water mark.
    ///
    /// # Errors
    ///
    /// As `send(2)`, of this or an earlier write; `BrokenPipe` or `ConnectionReset` if the peer is
    /// gone, and never a signal.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a prefix may have been queued. [`write`](Self::write) tells how much.
    #[track_caller]
    #[inline]
    #[doc(alias = "sendall")]
    pub fn write_all<'a>(&'a mut self, bytes: &'a [u8]) -> WriteAll<'a, Self> {
        AsyncWrite::write_all(self, bytes)
    }

    /// Waits until the kernel has taken everything that was written.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all).
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    #[doc(alias = "drain")]
    pub fn flush(&mut self) -> Flush<'_, Self> {
        AsyncWrite::flush(self)
    }

    /// Flushes, then tells the peer that no more will come; reading goes on.
    ///
    /// Counterpart: `shutdown(2)` with `SHUT_WR`, `StreamWriter.write_eof`.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all) and `shutdown(2)`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, the stream is open still.
    #[track_caller]
    #[doc(alias = "write_eof")]
    pub fn shutdown(&mut self) -> Shutdown<'_, Self> {
        AsyncWrite::shutdown(self)
    }

    /// Flushes and closes, and says what came of it. A plain drop does the same, unobserved.
    ///
    /// # Errors
    ///
    /// As [`write_all`](Self::write_all) and `close(2)`.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, the stream is closed all the same
    /// once it has sent what it holds.
    pub async fn close(mut self) -> io::Result<()> {
        self.flush().await?;
        let fd = self.receiver.fd().clone();
        drop(self);
        fd.close().await
    }

    /// Borrows the two directions separately.
    pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        (
            ReadHalf {
                receiver: &mut self.receiver,
            },
            WriteHalf {
                sender: &mut self.sender,
            },
        )
    }

    /// Returns this end's address.
    ///
    /// # Errors
    ///
    /// As `getsockname(2)`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        socket_addr(SockRef::from(&plain(self.receiver.fd())).local_addr()?)
    }

    /// Returns the other end's address.
    ///
    /// # Errors
    ///
    /// As `getpeername(2)`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        socket_addr(SockRef::from(&plain(self.receiver.fd())).peer_addr()?)
    }

    /// Sends small writes at once (`true`) or gathers them while others are under way.
    ///
    /// # Errors
    ///
    /// As `setsockopt(2)`.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        SockRef::from(&plain(self.receiver.fd())).set_tcp_nodelay(nodelay)
    }
}

impl AsyncRead for TcpStream {
    #[inline]
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.receiver.poll_read(cx, buf)
    }
}

impl AsyncWrite for TcpStream {
    #[inline]
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.sender.poll_write(cx, bytes)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.sender.poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll_shutdown(&mut self.sender, cx)
    }
}

impl AsFd for TcpStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        plain(self.receiver.fd())
    }
}

impl AsRawFd for TcpStream {
    fn as_raw_fd(&self) -> RawFd {
        plain(self.receiver.fd()).as_raw_fd()
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpStream")
            .field("receiver", &self.receiver)
            .field("sender", &self.sender)
            .finish()
    }
}

/// The reading direction of a [`TcpStream`], by [`split`](TcpStream::split).
#[derive(Debug)]
pub struct ReadHalf<'a> {
    receiver: &'a mut Receiver,
}

impl AsyncRead for ReadHalf<'_> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.receiver.poll_read(cx, buf)
    }
}

/// The writing direction of a [`TcpStream`], by [`split`](TcpStream::split).
#[derive(Debug)]
pub struct WriteHalf<'a> {
    sender: &'a mut Sender,
}

impl AsyncWrite for WriteHalf<'_> {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.sender.poll_write(cx, bytes)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.sender.poll_flush(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        poll_shutdown(self.sender, cx)
    }
}

fn poll_shutdown(sender: &mut Sender, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    ready!(sender.poll_flush(cx))?;
    Poll::Ready(SockRef::from(&plain(sender.fd())).shutdown(net::Shutdown::Write))
}

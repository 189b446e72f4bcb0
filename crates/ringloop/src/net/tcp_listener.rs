//! A listening TCP socket.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{self, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};

use ringloop_proactor::{Acceptor, OpError};

use super::accepted::{Accepting, given_back};
use super::addr::ToSocketAddrs;
use super::check::{Kind, check};
use super::incoming::Incoming;
use super::ip;
use super::listener::listener;
use super::tcp_listener_builder::TcpListenerBuilder;
use super::tcp_stream::TcpStream;
use crate::context;
use crate::io::Wait;

/// A socket that listens for connections. Counterpart: `std::net::TcpListener`.
///
/// Connections that arrive belong to the listener, not to the `accept` that waits for them:
/// dropping or cancelling an accept loses none. Dropping the listener closes those that nobody
/// has taken.
///
/// # Examples
///
/// ```
/// use ringloop::net::{TcpListener, TcpStream};
///
/// ringloop::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let client = TcpStream::connect(listener.local_addr()?).await?;
///     let (_stream, peer) = listener.accept().await?;
///     assert_eq!(peer, client.local_addr()?);
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TcpListener {
    acceptor: Acceptor,
}

impl TcpListener {
    /// Binds a socket and listens, with a backlog of 1024 and `SO_REUSEADDR`, as std does.
    ///
    /// # Errors
    ///
    /// `AddrInUse`, `PermissionDenied` and what else `bind(2)` and `listen(2)` say;
    /// `InvalidInput` for what is not an address.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[doc(alias("start_server", "create_server"))]
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Self::builder().bind(address).await
    }

    /// Begins to make a listener with options.
    pub fn builder() -> TcpListenerBuilder {
        TcpListenerBuilder::new()
    }

    /// Takes a listening socket that was made elsewhere, blocking or not.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is none: not an internet stream socket, or not listening.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub fn from_std(listener: net::TcpListener) -> io::Result<Self> {
        let socket = OwnedFd::from(listener);
        check(socket.as_fd(), Kind::TcpListener)?;
        let fd = context::current().proactor.adopt(socket);
        Ok(Self {
            acceptor: Acceptor::new(fd),
        })
    }

    /// Gives the socket back to std, and the connections that had been accepted and that nobody has
    /// taken, in their order.
    ///
    /// The loop accepts ahead: it is told to stop first, so that all connections that come later
    /// stay in the socket's own backlog. The socket blocks or not as it did before; one that was made here
    /// blocks, and so do the connections.
    ///
    /// # Errors
    ///
    /// As `dup(2)`; a cancelled scope. The listener comes back in the error, and accepts on.
    ///
    /// # Cancel safety
    ///
    /// Cancelled, the listener comes back. Dropped before it completes, the listener is dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop::net::TcpListener;
    /// use std::net::TcpStream;
    ///
    /// ringloop::run(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let _client = TcpStream::connect(listener.local_addr()?)?;
    ///     let (listener, accepted) = listener.into_std().await?;
    ///     // Nobody has waited for it here, so it waits there still.
    ///     assert!(accepted.is_empty());
    ///     listener.accept()?;
    ///     Ok::<(), std::io::Error>(())
    /// })??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[track_caller]
    pub fn into_std(
        self,
    ) -> impl Future<Output = Result<(net::TcpListener, Vec<net::TcpStream>), OpError<Self>>> {
        let wait = Wait::new();
        async move {
            match given_back(&self.acceptor, wait).await {
                Ok((fd, accepted)) => {
                    let accepted = accepted.into_iter().map(Into::into);
                    Ok((fd.into(), accepted.collect()))
                }
                Err(error) => Err(OpError::new(error, self)),
            }
        }
    }

    /// Waits for a connection and takes it, closed on exec, with the address of the peer.
    ///
    /// Any number of tasks may wait; they are served in the order in which they came. A peer that
    /// has reset the connection meanwhile has no address any more: then it is `0.0.0.0:0`, or
    /// `[::]:0` if the listener is one of IPv6, and the first read tells. The connection is handed
    /// out all the same, because it may have brought bytes before.
    ///
    /// # Errors
    ///
    /// As `accept4(2)`: out of descriptors or memory, and the connection waits for the next call; a
    /// cancelled scope.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: a connection that arrives after the future was dropped or cancelled waits for
    /// the next one.
    #[track_caller]
    pub fn accept(&self) -> Accept<'_> {
        Accept {
            accepting: Accepting::new(&self.acceptor),
        }
    }

    /// Returns the connections, one after another.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop::net::{TcpListener, TcpStream};
    ///
    /// ringloop::run(async {
    ///     let listener = TcpListener::bind("127.0.0.1:0").await?;
    ///     let mut client = TcpStream::connect(listener.local_addr()?).await?;
    ///     client.write_all(b"?").await?;
    ///     let mut incoming = listener.incoming();
    ///     while let Some(stream) = incoming.next().await {
    ///         let mut question = [0; 1];
    ///         stream?.read_exact(&mut question).await?;
    ///         if question == *b"?" {
    ///             break;
    ///         }
    ///     }
    ///     Ok::<(), std::io::Error>(())
    /// })??;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use = "nothing is accepted until its next item is awaited"]
    pub fn incoming(&self) -> Incoming<'_, Self> {
        Incoming::new(self)
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpListener")
            .field("acceptor", &self.acceptor)
            .finish()
    }
}

/// The future of [`TcpListener::accept`].
#[must_use = "nothing is accepted until it is awaited"]
#[derive(Debug)]
pub struct Accept<'a> {
    accepting: Accepting<'a>,
}

listener!(TcpListener, Accept, TcpStream, SocketAddr, ip, peer);

/// Who has connected. For one that has gone it is no address of the family.
fn peer(stream: &TcpStream) -> SocketAddr {
    match stream.peer_addr() {
        Ok(peer) => peer,
        Err(_) => nobody(stream),
    }
}

#[cold]
fn nobody(stream: &TcpStream) -> SocketAddr {
    match stream.local_addr() {
        Ok(SocketAddr::V6(_)) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        Ok(SocketAddr::V4(_)) | Err(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
    }
}

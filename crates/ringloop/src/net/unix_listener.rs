//! A listening unix stream socket.

use std::fmt;
use std::future::Future;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

use ringloop_proactor::{Acceptor, OpError};

use super::accepted::{Accepting, given_back};
use super::check::{Kind, check};
use super::incoming::Incoming;
use super::listener::listener;
use super::unix_addr::{unix, unnamed};
use super::unix_listener_builder::{SocketFile, UnixListenerBuilder};
use super::unix_stream::UnixStream;
use crate::context;
use crate::io::Wait;

/// A unix socket that listens for connections. Counterpart: `std::os::unix::net::UnixListener`.
///
/// Connections that arrive belong to the listener, as those of a
/// [`TcpListener`](super::TcpListener) do.
///
/// # Examples
///
/// ```
/// use std::os::linux::net::SocketAddrExt;
/// use std::os::unix::net::SocketAddr;
///
/// use ringloop::net::{UnixListener, UnixStream};
///
/// ringloop::run(async {
///     let name = format!("ringloop example {}", std::process::id());
///     let name = SocketAddr::from_abstract_name(name)?;
///     let listener = UnixListener::bind_addr(&name)?;
///     let mut near = UnixStream::connect_addr(&name).await?;
///     let (mut far, _peer) = listener.accept().await?;
///     near.write_all(b"hello").await?;
///     let mut text = [0; 5];
///     far.read_exact(&mut text).await?;
///     assert_eq!(&text, b"hello");
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct UnixListener {
    acceptor: Acceptor,
    /// What is removed when this is dropped.
    file: Option<SocketFile>,
}

impl UnixListener {
    /// Makes a socket with this path and listens.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if there is a file with this path, be it of a program that has ended
    /// ([`replace_stale`](UnixListenerBuilder::replace_stale) removes that), and what else `bind(2)` and `listen(2)` say; `InvalidInput` for a path that is too long.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    #[doc(alias("start_unix_server", "create_unix_server"))]
    pub fn bind(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::builder().bind(path)
    }

    /// Makes a socket with this address, which may be an abstract name, and listens.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub fn bind_addr(address: &SocketAddr) -> io::Result<Self> {
        Self::builder().bind_addr(address)
    }

    /// Begins to make a listener with options.
    pub fn builder() -> UnixListenerBuilder {
        UnixListenerBuilder::new()
    }

    pub(super) fn remove_on_drop(&mut self, file: SocketFile) {
        self.file = Some(file);
    }

    /// Takes a listening socket that was made elsewhere, blocking or not.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is none: not a unix stream socket, or not listening.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub fn from_std(listener: net::UnixListener) -> io::Result<Self> {
        let socket = OwnedFd::from(listener);
        check(socket.as_fd(), Kind::UnixListener)?;
        let fd = context::current().proactor.adopt(socket);
        Ok(Self {
            acceptor: Acceptor::new(fd),
            file: None,
        })
    }

    /// Gives the socket back to std, and the connections that had been accepted and that nobody has
    /// taken, in their order.
    ///
    /// The loop accepts ahead: it is told to stop first, so that all connections that come later
    /// stay in the socket's own backlog. The socket blocks or not as it did before; one that was made here
    /// blocks, and so do the connections.
    ///
    /// A file that was to be removed with the listener stays: it is std's now.
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
    /// use std::os::linux::net::SocketAddrExt;
    /// use std::os::unix::net::{SocketAddr, UnixStream};
    ///
    /// use ringloop::net::UnixListener;
    ///
    /// ringloop::run(async {
    ///     let name = format!("ringloop into_std {}", std::process::id());
    ///     let name = SocketAddr::from_abstract_name(name)?;
    ///     let listener = UnixListener::bind_addr(&name)?;
    ///     let _client = UnixStream::connect_addr(&name)?;
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
        mut self,
    ) -> impl Future<Output = Result<(net::UnixListener, Vec<net::UnixStream>), OpError<Self>>>
    {
        let wait = Wait::new();
        async move {
            let (fd, accepted) = match given_back(&self.acceptor, wait).await {
                Ok(given_back) => given_back,
                Err(error) => return Err(OpError::new(error, self)),
            };
            if let Some(file) = self.file.take() {
                file.keep();
            }
            let accepted = accepted.into_iter().map(Into::into);
            Ok((fd.into(), accepted.collect()))
        }
    }

    /// Waits for a connection and takes it, closed on exec, with the address of the peer, which
    /// mostly is unnamed.
    ///
    /// Any number of tasks may wait; they are served in the order in which they came.
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
    pub fn accept(&self) -> AcceptUnix<'_> {
        AcceptUnix {
            accepting: Accepting::new(&self.acceptor),
        }
    }

    /// Returns the connections, one after another.
    #[must_use = "nothing is accepted until its next item is awaited"]
    pub fn incoming(&self) -> Incoming<'_, Self> {
        Incoming::new(self)
    }
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixListener")
            .field("acceptor", &self.acceptor)
            .field("file", &self.file)
            .finish()
    }
}

/// The future of [`UnixListener::accept`].
#[must_use = "nothing is accepted until it is awaited"]
#[derive(Debug)]
pub struct AcceptUnix<'a> {
    accepting: Accepting<'a>,
}

listener!(UnixListener, AcceptUnix, UnixStream, SocketAddr, unix, peer);

/// Who has connected. Unnamed if that cannot be told: the kernel lets a path be a byte longer than
/// std's address does.
fn peer(stream: &UnixStream) -> SocketAddr {
    stream.peer_addr().unwrap_or_else(|_| unnamed())
}

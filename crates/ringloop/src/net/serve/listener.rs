//! What connections come from.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use crate::net::{TcpListener, TcpStream, UnixListener, UnixStream};

/// Something that accepts connections, for [`serve`](super::serve).
///
/// A reference to a listener is one, too, and so is an [`Rc`]: a server that was given such a one
/// leaves the listener open when it stops.
///
/// # Examples
///
/// A listener that refuses strangers:
///
/// ```
/// use ringloop::net::{Listener, TcpListener, TcpStream};
/// use std::{io, net::SocketAddr};
///
/// struct Local(TcpListener);
///
/// impl Listener for Local {
///     type Stream = TcpStream;
///     type Addr = SocketAddr;
///
///     async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
///         loop {
///             let (stream, peer) = self.0.accept().await?;
///             if peer.ip().is_loopback() {
///                 return Ok((stream, peer));
///             }
///         }
///     }
///
///     fn local_addr(&self) -> io::Result<SocketAddr> {
///         self.0.local_addr()
///     }
/// }
/// ```
#[expect(
    async_fn_in_trait,
    reason = "a listener stays on its thread: nobody asks whether its futures are `Send`"
)]
pub trait Listener {
    /// The connections.
    type Stream: 'static;

    /// The addresses of both ends.
    type Addr: Clone + fmt::Debug + 'static;

    /// Waits for a connection and takes it, with the address of the peer.
    ///
    /// # Errors
    ///
    /// As `accept4(2)`; a cancelled scope, as
    /// [`is_cancelled`](crate::cancel::is_cancelled) tells. What a server makes of them is on the
    /// page of [`serve`](super::serve).
    ///
    /// # Cancel safety
    ///
    /// An implementation loses no connection when the future is dropped or cancelled.
    async fn accept(&self) -> io::Result<(Self::Stream, Self::Addr)>;

    /// Returns the address that it listens on.
    ///
    /// # Errors
    ///
    /// As `getsockname(2)`.
    fn local_addr(&self) -> io::Result<Self::Addr>;

    /// Tells how many connections there is room for, beside the one that is accepted next. A server
    /// with a [limit](super::Serve::limit) does so before each `accept`, so that a listener that
    /// takes connections ahead leaves them to the kernel's backlog where nobody will take them soon.
    fn set_room(&self, connections: usize) {
        let _ = connections;
    }
}

/// With room for fewer than this, connections are accepted one at a time.
const ROOM_MIN: usize = 256;

impl Listener for TcpListener {
    type Stream = TcpStream;
    type Addr = SocketAddr;

    fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> {
        Self::accept(self)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Self::local_addr(self)
    }

    fn set_room(&self, connections: usize) {
        self.take_ahead(connections >= ROOM_MIN);
    }
}

impl Listener for UnixListener {
    type Stream = UnixStream;
    type Addr = std::os::unix::net::SocketAddr;

    fn accept(&self) -> impl Future<Output = io::Result<(UnixStream, Self::Addr)>> {
        Self::accept(self)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Self::local_addr(self)
    }

    fn set_room(&self, connections: usize) {
        self.take_ahead(connections >= ROOM_MIN);
    }
}

macro_rules! pointers {
    ($($pointer:ty),+) => {$(
        impl<L: Listener + ?Sized> Listener for $pointer {
            type Stream = L::Stream;
            type Addr = L::Addr;

            fn accept(&self) -> impl Future<Output = io::Result<(L::Stream, L::Addr)>> {
                (**self).accept()
            }

            fn local_addr(&self) -> io::Result<L::Addr> {
                (**self).local_addr()
            }

            fn set_room(&self, connections: usize) {
                (**self).set_room(connections);
            }
        }
    )+};
}

pointers!(&L, Rc<L>, Box<L>);

//! Listening with options.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::addr::{ToSocketAddrs, first_that_works};
use super::settings::{Settings, settings};
use super::tcp_listener::TcpListener;

/// Options of a [`TcpListener`] that is to be, by [`TcpListener::builder`]. The connections that it
/// accepts inherit those of a connection.
///
/// # Examples
///
/// ```
/// use ringloop::net::{TcpListener, TcpStream};
///
/// ringloop::run(async {
///     let listener = TcpListener::builder()
///         .backlog(16)
///         .nodelay(true)
///         .bind("127.0.0.1:0")
///         .await?;
///     let _client = TcpStream::connect(listener.local_addr()?).await?;
///     let (stream, _) = listener.accept().await?;
///     assert!(stream.nodelay()?);
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing listens before it is bound"]
pub struct TcpListenerBuilder {
    settings: Settings,
    reuse_address: bool,
    only_v6: Option<bool>,
    backlog: u32,
}

impl TcpListenerBuilder {
    pub(super) fn new() -> Self {
        Self {
            settings: Settings::new(),
            reuse_address: true,
            only_v6: None,
            backlog: BACKLOG,
        }
    }

    /// Sets whether an address may be bound that connections of an earlier listener still have
    /// while they end. It may, unless this says otherwise.
    #[doc(alias = "SO_REUSEADDR")]
    pub fn reuse_address(mut self, reuse: bool) -> Self {
        self.reuse_address = reuse;
        self
    }

    /// Sets whether an IPv6 socket leaves connections by IPv4 to others. Unless it is set, the
    /// system decides; an IPv4 socket ignores it.
    #[doc(alias = "IPV6_V6ONLY")]
    pub fn only_v6(mut self, only: bool) -> Self {
        self.only_v6 = Some(only);
        self
    }

    /// Sets how many connections may wait in the kernel to be accepted: 1024 unless this says
    /// otherwise, and not more than the system has as its limit.
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = connections;
        self
    }

    /// Binds a socket and listens.
    ///
    /// # Errors
    ///
    /// As [`TcpListener::bind`]; those of the options.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    pub async fn bind(self, address: impl ToSocketAddrs) -> io::Result<TcpListener> {
        let addresses = address.to_socket_addrs().await?;
        let socket = first_that_works(&addresses, async |address| self.listen(address)).await?;
        TcpListener::from_std(socket.into())
    }

    fn listen(&self, address: SocketAddr) -> io::Result<Socket> {
        let domain = Domain::for_address(address);
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(self.reuse_address)?;
        if let (Some(only), Domain::IPV6) = (self.only_v6, domain) {
            socket.set_only_v6(only)?;
        }
        self.settings.set_on(&SockRef::from(&socket))?;
        socket.bind(&address.into())?;
        socket.listen(i32::try_from(self.backlog).unwrap_or(i32::MAX))?;
        Ok(socket)
    }
}

settings!(TcpListenerBuilder);

const BACKLOG: u32 = 1024;

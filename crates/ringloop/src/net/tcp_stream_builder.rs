//! Connecting with options.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket};

use super::addr::ToSocketAddrs;
use super::connect::{STAGGER, first_to_answer};
use super::connecting::connected;
use super::settings::{Settings, settings};
use super::tcp_stream::TcpStream;

/// Options of a [`TcpStream`] that is to be, by [`TcpStream::builder`].
///
/// # Examples
///
/// ```
/// use ringloop::net::{TcpListener, TcpStream};
///
/// ringloop::run(async {
///     let listener = TcpListener::bind("127.0.0.1:0").await?;
///     let stream = TcpStream::builder()
///         .local_addr("127.0.0.2:0".parse().expect("it is an address"))
///         .nodelay(true)
///         .connect(listener.local_addr()?)
///         .await?;
///     assert_eq!(stream.local_addr()?.ip().to_string(), "127.0.0.2");
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is connected before `connect`"]
pub struct TcpStreamBuilder {
    settings: Settings,
    local: Option<SocketAddr>,
    stagger: Duration,
}

impl TcpStreamBuilder {
    pub(super) const fn new() -> Self {
        Self {
            settings: Settings::new(),
            local: None,
            stagger: STAGGER,
        }
    }

    /// Sets the address of this end. Addresses of the other family are not connected to.
    #[doc(alias = "bind")]
    pub fn local_addr(mut self, address: SocketAddr) -> Self {
        self.local = Some(address);
        self
    }

    /// Sets how long an address has for itself before the next one is tried beside it: 250 ms
    /// unless this says otherwise. [`Duration::MAX`] tries one after the other.
    #[doc(alias = "happy_eyeballs_delay")]
    pub fn stagger(mut self, stagger: Duration) -> Self {
        self.stagger = stagger;
        self
    }

    /// Connects to an address; of several, to the first that answers.
    ///
    /// # Errors
    ///
    /// As [`TcpStream::connect`]; those of the options, of `bind(2)`, and `InvalidInput` for an
    /// address of another family than that of this end.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    ///
    /// # Cancel safety
    ///
    /// As [`TcpStream::connect`].
    pub async fn connect(self, address: impl ToSocketAddrs) -> io::Result<TcpStream> {
        self.connect_by_ref(address).await
    }

    pub(super) async fn connect_by_ref(
        &self,
        address: impl ToSocketAddrs,
    ) -> io::Result<TcpStream> {
        if let Some(address) = address.as_socket_addr() {
            return self.connect_to(address).await;
        }
        let addresses = address.to_socket_addrs().await?;
        first_to_answer(addresses, self.stagger, |address| self.connect_to(address)).await
    }

    async fn connect_to(&self, address: SocketAddr) -> io::Result<TcpStream> {
        if self
            .local
            .is_some_and(|local| local.is_ipv6() != address.is_ipv6())
        {
            let text = "the address of this end is of another family";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let domain = Domain::for_address(address);
        let fd = connected(domain, address.into(), |socket| self.prepare(socket)).await?;
        Ok(TcpStream::from_fd(fd))
    }

    fn prepare(&self, socket: &Socket) -> io::Result<()> {
        self.settings.set_on(&SockRef::from(socket))?;
        match self.local {
            Some(local) => socket.bind(&local.into()),
            None => Ok(()),
        }
    }
}

settings!(TcpStreamBuilder);

//! The making of a UDP socket whose options have to be set before it is bound.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};

use super::UdpSocket;
use super::addr::{ToSocketAddrs, first_that_works};

/// Makes a [`UdpSocket`] with options that count before it is bound.
///
/// # Examples
///
/// ```
/// use ringloop::net::UdpSocket;
///
/// ringloop::run(async {
///     let builder = UdpSocket::builder().reuse_port(true);
///     let first = builder.bind("127.0.0.1:0").await?;
///     let second = builder.bind(first.local_addr()?).await?;
///     assert_eq!(first.local_addr()?, second.local_addr()?);
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is bound before `bind`"]
pub struct UdpBuilder {
    reuse_address: bool,
    reuse_port: bool,
    only_v6: Option<bool>,
    recv_buffer_bytes: Option<usize>,
    send_buffer_bytes: Option<usize>,
}

impl UdpBuilder {
    /// Lets several sockets have the address, of which one is given each datagram; those of a
    /// group are given each of its datagrams all.
    #[doc(alias = "SO_REUSEADDR")]
    pub fn reuse_address(mut self, reuses: bool) -> Self {
        self.reuse_address = reuses;
        self
    }

    /// Lets several sockets have the address, to which the kernel spreads the senders.
    #[doc(alias = "SO_REUSEPORT")]
    pub fn reuse_port(mut self, reuses: bool) -> Self {
        self.reuse_port = reuses;
        self
    }

    /// Keeps datagrams of IPv4 away from a socket of IPv6, or not.
    #[doc(alias = "IPV6_V6ONLY")]
    pub fn only_v6(mut self, is_only: bool) -> Self {
        self.only_v6 = Some(is_only);
        self
    }

    /// Asks for so much room for what the socket has not taken in.
    #[doc(alias = "SO_RCVBUF")]
    pub fn recv_buffer_bytes(mut self, bytes: usize) -> Self {
        self.recv_buffer_bytes = Some(bytes);
        self
    }

    /// Asks for so much room for what is on its way out.
    #[doc(alias = "SO_SNDBUF")]
    pub fn send_buffer_bytes(mut self, bytes: usize) -> Self {
        self.send_buffer_bytes = Some(bytes);
        self
    }

    /// Binds a socket to an address; of several, to the first that works.
    ///
    /// # Errors
    ///
    /// As [`UdpSocket::bind`] and `setsockopt(2)`.
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    pub async fn bind(&self, address: impl ToSocketAddrs) -> io::Result<UdpSocket> {
        let addresses = address.to_socket_addrs().await?;
        let socket = first_that_works(&addresses, async |address| self.bound(address)).await?;
        Ok(UdpSocket::from_fd(socket.into()))
    }

    fn bound(&self, address: SocketAddr) -> io::Result<Socket> {
        let domain = Domain::for_address(address);
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        if self.reuse_address {
            socket.set_reuse_address(true)?;
        }
        if self.reuse_port {
            socket.set_reuse_port(true)?;
        }
        if let Some(is_only) = self.only_v6.filter(|_| address.is_ipv6()) {
            socket.set_only_v6(is_only)?;
        }
        if let Some(bytes) = self.recv_buffer_bytes {
            socket.set_recv_buffer_size(bytes)?;
        }
        if let Some(bytes) = self.send_buffer_bytes {
            socket.set_send_buffer_size(bytes)?;
        }
        socket.bind(&address.into())?;
        Ok(socket)
    }
}

//! What can be turned into socket addresses.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::offload::offload;

/// Something that names socket addresses, perhaps after asking a name server.
///
/// Counterpart: `std::net::ToSocketAddrs`. Addresses that are spelled out are not looked up; names
/// are, on the pool for blocking work.
#[doc(alias = "getaddrinfo")]
pub trait ToSocketAddrs {
    /// Returns the addresses.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for what is not an address with a port; the resolver's error for a name.
    fn to_socket_addrs(&self) -> impl Future<Output = io::Result<Vec<SocketAddr>>>;

    /// Returns the address if it is the only one, and known without looking it up.
    fn as_socket_addr(&self) -> Option<SocketAddr> {
        None
    }
}

/// Looks a name up. `getaddrinfo(3)` blocks, so it runs on the pool.
async fn look_up<A>(name: A) -> io::Result<Vec<SocketAddr>>
where
    A: std::net::ToSocketAddrs + Send + 'static,
{
    let asked = offload(move || name.to_socket_addrs().map(Iterator::collect));
    // Nothing of a look-up is worth waiting for when it is not wanted any more.
    asked.abandon_on_cancel().await?
}

impl ToSocketAddrs for str {
    async fn to_socket_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        match self.parse() {
            Ok(address) => Ok(vec![address]),
            Err(_) => look_up(self.to_owned()).await,
        }
    }
}

impl ToSocketAddrs for String {
    async fn to_socket_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        ToSocketAddrs::to_socket_addrs(self.as_str()).await
    }
}

impl ToSocketAddrs for (&str, u16) {
    async fn to_socket_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        match self.0.parse::<IpAddr>() {
            Ok(ip) => Ok(vec![SocketAddr::new(ip, self.1)]),
            Err(_) => look_up((self.0.to_owned(), self.1)).await,
        }
    }
}

impl ToSocketAddrs for (String, u16) {
    async fn to_socket_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        ToSocketAddrs::to_socket_addrs(&(self.0.as_str(), self.1)).await
    }
}

impl ToSocketAddrs for [SocketAddr] {
    async fn to_socket_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        Ok(self.to_vec())
    }
}

impl<A: ToSocketAddrs + ?Sized> ToSocketAddrs for &A {
    async fn to_socket_addrs(&self) -> io::Result<Vec<SocketAddr>> {
        (**self).to_socket_addrs().await
    }

    #[inline]
    fn as_socket_addr(&self) -> Option<SocketAddr> {
        (**self).as_socket_addr()
    }
}

macro_rules! spelled_out {
    ($($address:ty),+) => {$(
        impl ToSocketAddrs for $address {
            async fn to_socket_addrs(&self) -> io::Result<Vec<SocketAddr>> {
                Ok(vec![SocketAddr::from(*self)])
            }

            #[inline]
            fn as_socket_addr(&self) -> Option<SocketAddr> {
                Some(SocketAddr::from(*self))
            }
        }
    )+};
}

spelled_out!(
    SocketAddr,
    SocketAddrV4,
    SocketAddrV6,
    (IpAddr, u16),
    (Ipv4Addr, u16),
    (Ipv6Addr, u16)
);

/// Tries the addresses in turn until one works; the last error is the one that is told.
pub(super) async fn first_that_works<T, F>(
    addresses: &[SocketAddr],
    mut attempt: impl FnMut(SocketAddr) -> F,
) -> io::Result<T>
where
    F: Future<Output = io::Result<T>>,
{
    let mut last = None;
    for &address in addresses {
        match attempt(address).await {
            Ok(value) => return Ok(value),
            Err(error) if crate::cancel::is_cancelled(&error) => return Err(error),
            Err(error) => last = Some(error),
        }
    }
    let nothing = || {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "the name stands for no socket address",
        )
    };
    Err(last.unwrap_or_else(nothing))
}

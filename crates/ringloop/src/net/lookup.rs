//! Looking names up.

use std::io;
use std::net::SocketAddr;

use super::addr::ToSocketAddrs;

/// Returns the socket addresses that a name stands for, in the order in which the resolver has them.
///
/// What is spelled out is not looked up. A name is, by `getaddrinfo(3)` on the pool for blocking
/// work. Counterpart: `loop.getaddrinfo`.
///
/// # Errors
///
/// `InvalidInput` for what is not a host with a port; the resolver's error for a name; a cancelled
/// scope.
///
/// # Panics
///
/// Outside of a runtime.
///
/// # Cancel safety
///
/// Cancel safe: dropped or cancelled before it completes, a look-up that runs is left behind, and
/// its result dropped.
///
/// # Examples
///
/// ```
/// ringloop::run(async {
///     let addresses: Vec<_> = ringloop::net::lookup_host("[::1]:80").await?.collect();
///     assert_eq!(addresses, ["[::1]:80".parse().expect("it is an address")]);
///     Ok::<(), std::io::Error>(())
/// })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias("getaddrinfo", "resolve"))]
pub async fn lookup_host(host: impl ToSocketAddrs) -> io::Result<impl Iterator<Item = SocketAddr>> {
    Ok(host.to_socket_addrs().await?.into_iter())
}

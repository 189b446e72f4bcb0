//! Addresses of unix sockets.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;

/// What the kernel says is the address of a unix socket.
pub(super) fn unix(address: socket2::SockAddr) -> io::Result<SocketAddr> {
    if !address.is_unix() {
        let text = "not the address of a unix socket";
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    match (address.as_pathname(), address.as_abstract_namespace()) {
        (Some(path), _) => SocketAddr::from_pathname(path),
        (None, Some(name)) => SocketAddr::from_abstract_name(name),
        (None, None) => unnamed(),
    }
}

/// The address of a socket that was bound to none.
pub(super) fn unnamed() -> io::Result<SocketAddr> {
    SocketAddr::from_pathname("")
}

//! Addresses of unix sockets, and who has them.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;

use ringloop_proactor::Fd;

use super::datagram::PeerCredentials;

/// What the kernel says is the address of a unix socket.
pub(super) fn unix(address: socket2::SockAddr) -> io::Result<SocketAddr> {
    if !address.is_unix() {
        let text = "not the address of a unix socket";
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    match (address.as_pathname(), address.as_abstract_namespace()) {
        (Some(path), _) => SocketAddr::from_pathname(path),
        (None, Some(name)) => SocketAddr::from_abstract_name(name),
        (None, None) => Ok(unnamed()),
    }
}

/// The address of a socket that was bound to none.
pub(super) fn unnamed() -> SocketAddr {
    SocketAddr::from_pathname("").expect("nothing is short enough")
}

/// Who is at the other end.
pub(super) fn peer_of(fd: &Fd) -> io::Result<PeerCredentials> {
    let peer = fd.peer_credentials()?;
    Ok(PeerCredentials {
        pid: peer.pid,
        uid: peer.uid,
        gid: peer.gid,
    })
}

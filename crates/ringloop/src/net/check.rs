//! Refusing sockets of the wrong kind that are handed in.

use std::io;
use std::os::fd::BorrowedFd;

use socket2::{Domain, SockRef, Type};

/// What a descriptor has to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    TcpListener,
    TcpStream,
    UdpSocket,
    UnixListener,
    UnixStream,
    UnixDatagram,
}

/// Fails with `InvalidInput` if the descriptor is something else.
pub(super) fn check(socket: BorrowedFd<'_>, kind: Kind) -> io::Result<()> {
    if is_of(&SockRef::from(&socket), kind).unwrap_or(false) {
        return Ok(());
    }
    let text = match kind {
        Kind::TcpListener => "not an internet stream socket that listens",
        Kind::TcpStream => "not an internet stream socket for a connection",
        Kind::UdpSocket => "not an internet datagram socket",
        Kind::UnixListener => "not a unix stream socket that listens",
        Kind::UnixStream => "not a unix stream socket for a connection",
        Kind::UnixDatagram => "not a unix datagram socket",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}

fn is_of(socket: &SockRef<'_>, kind: Kind) -> io::Result<bool> {
    let (domains, type_, listens) = match kind {
        Kind::TcpListener => (INTERNET, Type::STREAM, true),
        Kind::TcpStream => (INTERNET, Type::STREAM, false),
        Kind::UdpSocket => (INTERNET, Type::DGRAM, false),
        Kind::UnixListener => (UNIX, Type::STREAM, true),
        Kind::UnixStream => (UNIX, Type::STREAM, false),
        Kind::UnixDatagram => (UNIX, Type::DGRAM, false),
    };
    Ok(domains.contains(&socket.domain()?)
        && socket.r#type()? == type_
        && socket.is_listener()? == listens)
}

const INTERNET: &[Domain] = &[Domain::IPV4, Domain::IPV6];
const UNIX: &[Domain] = &[Domain::UNIX];

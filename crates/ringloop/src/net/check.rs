//! Refusing sockets of the wrong kind that are handed in.

use std::io;
use std::os::fd::BorrowedFd;

use socket2::{Domain, SockRef, Type};

/// What a descriptor has to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    TcpListener,
    TcpStream,
    UnixListener,
    UnixStream,
}

/// Fails with `InvalidInput` if the descriptor is something else.
pub(super) fn check(socket: BorrowedFd<'_>, kind: Kind) -> io::Result<()> {
    if is_of(&SockRef::from(&socket), kind).unwrap_or(false) {
        return Ok(());
    }
    let text = match kind {
        Kind::TcpListener => "not an internet stream socket that listens",
        Kind::TcpStream => "not an internet stream socket for a connection",
        Kind::UnixListener => "not a unix stream socket that listens",
        Kind::UnixStream => "not a unix stream socket for a connection",
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}

fn is_of(socket: &SockRef<'_>, kind: Kind) -> io::Result<bool> {
    let (domains, listens) = match kind {
        Kind::TcpListener => (INTERNET, true),
        Kind::TcpStream => (INTERNET, false),
        Kind::UnixListener => (UNIX, true),
        Kind::UnixStream => (UNIX, false),
    };
    Ok(domains.contains(&socket.domain()?)
        && socket.r#type()? == Type::STREAM
        && socket.is_listener()? == listens)
}

const INTERNET: &[Domain] = &[Domain::IPV4, Domain::IPV6];
const UNIX: &[Domain] = &[Domain::UNIX];

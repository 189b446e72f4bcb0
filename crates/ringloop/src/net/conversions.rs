//! Conversions from the sockets of std, and from bare descriptors.
//!
//! Each is its type's `from_std`, for code that is generic. There are none back, into `OwnedFd`:
//! sockets of this module receive ahead, and only a method that waits, as `into_std`, can stop that
//! and tell what had come.

use std::io;
use std::os::fd::OwnedFd;
use std::{net, os::unix::net as unix};

use super::{FdStream, TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};

macro_rules! conversions {
    ($($socket:ident, $std:path, $kind:literal;)+) => {$(
        /// Takes a socket of std, as [`from_std`](Self::from_std).
        ///
        /// # Panics
        ///
        /// Outside of a runtime.
        impl TryFrom<$std> for $socket {
            type Error = io::Error;

            #[track_caller]
            fn try_from(socket: $std) -> io::Result<Self> {
                Self::from_std(socket)
            }
        }

        #[doc = concat!("Takes a descriptor, which has to be of ", $kind, ": else it is")]
        /// `InvalidInput`, and closed.
        ///
        /// The other way there is only a method that waits: a descriptor that is taken out of a
        /// socket that receives ahead would lose what has come.
        ///
        /// # Panics
        ///
        /// Outside of a runtime.
        impl TryFrom<OwnedFd> for $socket {
            type Error = io::Error;

            #[track_caller]
            fn try_from(fd: OwnedFd) -> io::Result<Self> {
                Self::from_std(fd.into())
            }
        }
    )+};
}

conversions! {
    TcpListener, net::TcpListener, "an internet stream socket that listens";
    TcpStream, net::TcpStream, "a connection of an internet stream socket";
    UdpSocket, net::UdpSocket, "an internet datagram socket";
    UnixListener, unix::UnixListener, "a unix stream socket that listens";
    UnixStream, unix::UnixStream, "a connection of a unix stream socket";
    FdStream, unix::UnixStream, "a connection of a unix stream socket";
    UnixDatagram, unix::UnixDatagram, "a unix datagram socket";
}

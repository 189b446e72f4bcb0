//! Making sockets, connecting them, accepting on them.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};

use super::new_fd;
use crate::fd::Fd;
use crate::op::Operation;
use crate::ring::{Cqe, Sqe};

/// Makes a socket. Counterpart: `io_uring_prep_socket(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_socket")]
pub struct Socket {
    domain: i32,
    kind: i32,
    protocol: i32,
}

impl Socket {
    pub(crate) fn new(domain: i32, kind: i32, protocol: i32) -> Self {
        Self {
            domain,
            kind,
            protocol,
        }
    }
}

// SAFETY: the entry names no memory and no descriptor.
unsafe impl Operation for Socket {
    type Output = io::Result<OwnedFd>;

    fn prepare(&mut self) -> Sqe {
        let kind = self.kind | libc::SOCK_CLOEXEC;
        Sqe {
            offset: u64::from(kind.cast_unsigned()),
            len: self.protocol.cast_unsigned(),
            ..Sqe::new(io_uring::opcode::Socket::CODE, self.domain)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        new_fd(cqe)
    }
}

/// Connects a socket. Counterpart: `io_uring_prep_connect(3)`.
///
/// A connect that was cancelled goes on in the kernel: close the socket, do not use it again.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_connect")]
pub struct Connect {
    fd: Fd,
    address: RawAddress,
}

impl Connect {
    pub(crate) fn new(fd: Fd, address: SocketAddr) -> Self {
        Self {
            fd,
            address: RawAddress::from(address),
        }
    }
}

// SAFETY: as the module says; the address is inside the operation, which does not move.
unsafe impl Operation for Connect {
    type Output = io::Result<()>;

    fn prepare(&mut self) -> Sqe {
        let (address, len) = self.address.memory();
        Sqe {
            address: address.expose_provenance() as u64,
            offset: u64::from(len),
            ..Sqe::new(io_uring::opcode::Connect::CODE, self.fd.as_raw_fd())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }
}

/// Accepts one connection. Counterpart: `io_uring_prep_accept(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_accept")]
pub struct Accept {
    fd: Fd,
}

impl Accept {
    pub(crate) fn new(fd: Fd) -> Self {
        Self { fd }
    }
}

// SAFETY: as the module says.
unsafe impl Operation for Accept {
    type Output = io::Result<OwnedFd>;

    fn prepare(&mut self) -> Sqe {
        Sqe {
            op_flags: libc::SOCK_CLOEXEC.cast_unsigned(),
            ..Sqe::new(io_uring::opcode::Accept::CODE, self.fd.as_raw_fd())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        new_fd(cqe)
    }
}

/// A socket address as the kernel reads it.
#[derive(Clone, Copy)]
enum RawAddress {
    V4(libc::sockaddr_in),
    V6(libc::sockaddr_in6),
}

impl RawAddress {
    fn memory(&self) -> (*const u8, u32) {
        match self {
            Self::V4(address) => ((&raw const *address).cast(), V4_LEN),
            Self::V6(address) => ((&raw const *address).cast(), V6_LEN),
        }
    }

    fn family(&self) -> u16 {
        match self {
            Self::V4(address) => address.sin_family,
            Self::V6(address) => address.sin6_family,
        }
    }
}

impl From<SocketAddr> for RawAddress {
    fn from(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(v4) => Self::V4(libc::sockaddr_in {
                sin_family: family(libc::AF_INET),
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(v4.ip().octets()),
                },
                sin_zero: [0; 8],
            }),
            SocketAddr::V6(v6) => Self::V6(libc::sockaddr_in6 {
                sin6_family: family(libc::AF_INET6),
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: v6.ip().octets(),
                },
                sin6_scope_id: v6.scope_id(),
            }),
        }
    }
}

impl std::fmt::Debug for RawAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawAddress")
            .field("family", &self.family())
            .finish_non_exhaustive()
    }
}

/// The family of an address, in the type that the address structs want.
fn family(family: i32) -> libc::sa_family_t {
    libc::sa_family_t::try_from(family).expect("address families are small numbers")
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the structs are a few bytes long"
)]
const V4_LEN: u32 = size_of::<libc::sockaddr_in>() as u32;
#[expect(
    clippy::cast_possible_truncation,
    reason = "the structs are a few bytes long"
)]
const V6_LEN: u32 = size_of::<libc::sockaddr_in6>() as u32;

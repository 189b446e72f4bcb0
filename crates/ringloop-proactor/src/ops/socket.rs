//! Making sockets, connecting them, accepting on them.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use super::address::RawAddress;
use super::new_fd;
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Multishot, Op, OpStream, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Makes a socket, closed on exec. Counterpart: `socket(2)`, `io_uring_prep_socket(3)`.
    pub fn socket(&self, domain: i32, kind: i32, protocol: i32) -> Op<Socket> {
        self.submit(Socket {
            domain,
            kind,
            protocol,
        })
    }

    /// Connects a socket. Linux 5.5. Counterpart: `connect(2)`, `io_uring_prep_connect(3)`.
    pub fn connect(&self, fd: &Fd, address: SocketAddr) -> Op<Connect> {
        self.submit(Connect {
            fd: fd.clone(),
            address: RawAddress::from(address),
        })
    }

    /// Accepts one connection, closed on exec. Counterpart: `accept4(2)`,
    /// `io_uring_prep_accept(3)`.
    ///
    /// A dropped accept closes a connection that it had accepted; an
    /// [`Acceptor`](crate::Acceptor) keeps it for the next caller.
    pub fn accept(&self, fd: &Fd) -> Op<Accept> {
        self.submit(Accept { fd: fd.clone() })
    }

    /// Accepts one connection after the other, closed on exec. Counterpart:
    /// `io_uring_prep_multishot_accept(3)`.
    ///
    /// One task takes them; an [`Acceptor`](crate::Acceptor) serves several.
    pub fn accept_multishot(&self, fd: &Fd) -> OpStream<AcceptMultishot> {
        OpStream::new(self.clone(), AcceptMultishot { fd: fd.clone() })
    }
}

/// Makes a socket. Linux 5.19. Counterpart: `io_uring_prep_socket(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_socket")]
pub struct Socket {
    domain: i32,
    kind: i32,
    protocol: i32,
}

// SAFETY: the entry names no memory and no descriptor.
unsafe impl Operation for Socket {
    type Output = io::Result<OwnedFd>;
    type Leftover = ();
    const NAME: &'static str = "socket";
    const HAS_FD: bool = false;

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

    fn reclaim(self) -> Self::Leftover {}
}

/// Connects a socket. Linux 5.5. Counterpart: `io_uring_prep_connect(3)`.
///
/// A connect that was cancelled goes on in the kernel: close the socket, do not use it again.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_connect")]
pub struct Connect {
    fd: Fd,
    address: RawAddress,
}

// SAFETY: as the module says; the address is inside the operation, which does not move.
unsafe impl Operation for Connect {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "connect";

    fn prepare(&mut self) -> Sqe {
        let (address, len) = self.address.memory();
        Sqe {
            address: address.expose_provenance() as u64,
            offset: u64::from(len),
            ..Sqe::on(io_uring::opcode::Connect::CODE, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Accepts one connection. Linux 5.5. Counterpart: `io_uring_prep_accept(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_accept")]
pub struct Accept {
    fd: Fd,
}

// SAFETY: as the module says.
unsafe impl Operation for Accept {
    type Output = io::Result<OwnedFd>;
    type Leftover = ();
    const NAME: &'static str = "accept";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            op_flags: libc::SOCK_CLOEXEC.cast_unsigned(),
            ..Sqe::on(io_uring::opcode::Accept::CODE, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        new_fd(cqe)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Accepts one connection after the other. Linux 5.19. Counterpart:
/// `io_uring_prep_multishot_accept(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_multishot_accept")]
pub struct AcceptMultishot {
    fd: Fd,
}

// SAFETY: as the module says.
unsafe impl Multishot for AcceptMultishot {
    type Item = OwnedFd;
    const NAME: &'static str = "accept multishot";

    fn prepare(&mut self, sqe: &mut Sqe) {
        *sqe = Sqe {
            ioprio: ACCEPT_MULTISHOT,
            op_flags: libc::SOCK_CLOEXEC.cast_unsigned(),
            ..Sqe::on(io_uring::opcode::Accept::CODE, &self.fd)
        };
    }

    fn item(&mut self, cqe: Cqe) -> io::Result<Self::Item> {
        new_fd(cqe)
    }
}

/// `IORING_ACCEPT_MULTISHOT`.
pub(crate) const ACCEPT_MULTISHOT: u16 = 1 << 0;

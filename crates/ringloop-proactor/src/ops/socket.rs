//! Making sockets, naming them, opening them to connections, shutting them down.

use std::io;
use std::net::Shutdown as How;
use std::os::fd::OwnedFd;

use super::address::SocketAddress;
use super::direct::{ALLOC, new_direct};
use super::new_fd;
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
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

    /// Makes a socket that is a direct descriptor. Counterpart:
    /// `io_uring_prep_socket_direct_alloc(3)`.
    ///
    /// # Errors
    ///
    /// `EMFILE` if the table of direct descriptors cannot be made. The future gives `ENFILE` if it
    /// is full, besides the errors of `socket(2)`.
    pub fn socket_direct(
        &self,
        domain: i32,
        kind: i32,
        protocol: i32,
    ) -> io::Result<Op<SocketDirect>> {
        self.shared().direct_table()?;
        Ok(self.submit(SocketDirect {
            handle: self.clone(),
            domain,
            kind,
            protocol,
        }))
    }

    /// Gives a socket its address. Counterpart: `bind(2)`, `io_uring_prep_bind(3)`.
    ///
    /// # Errors
    ///
    /// `Unsupported` before Linux 6.11. The future gives the errors of `bind(2)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor, SocketAddress};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let socket = proactor.block_on(handle.socket(libc::AF_UNIX, libc::SOCK_STREAM, 0))??;
    /// let socket = handle.adopt(socket);
    /// let address = SocketAddress::unix_abstract(format!("example-{}", std::process::id()))?;
    /// let (Ok(bind), Ok(listen)) = (handle.bind(&socket, address), handle.listen(&socket, 128)) else {
    ///     return Ok(()); // Before Linux 6.11: `bind(2)` and `listen(2)` do not wait either.
    /// };
    /// proactor.block_on(bind)??;
    /// proactor.block_on(listen)??;
    /// # Ok(())
    /// # }
    /// ```
    pub fn bind(&self, fd: &Fd, address: impl Into<SocketAddress>) -> io::Result<Op<Bind>> {
        self.require(io_uring::opcode::Bind::CODE, "bind", "6.11")?;
        Ok(self.submit(Bind {
            fd: fd.clone(),
            address: address.into(),
        }))
    }

    /// Lets connections come in, `backlog` of them before they are accepted. Counterpart:
    /// `listen(2)`, `io_uring_prep_listen(3)`.
    ///
    /// # Errors
    ///
    /// `Unsupported` before Linux 6.11. The future gives the errors of `listen(2)`.
    pub fn listen(&self, fd: &Fd, backlog: u32) -> io::Result<Op<Listen>> {
        self.require(io_uring::opcode::Listen::CODE, "listen", "6.11")?;
        let fd = fd.clone();
        Ok(self.submit(Listen { fd, backlog }))
    }

    /// Ends one direction of a connection, or both. Counterpart: `shutdown(2)`,
    /// `io_uring_prep_shutdown(3)`.
    ///
    /// A receive that waits on the socket then ends with zero bytes, an accept with `EINVAL`.
    pub fn shutdown(&self, fd: &Fd, how: How) -> Op<Shutdown> {
        let fd = fd.clone();
        self.submit(Shutdown { fd, how })
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

/// Makes a socket that is a direct descriptor. Linux 5.19. Counterpart:
/// `io_uring_prep_socket_direct_alloc(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_socket_direct")]
#[doc(alias = "io_uring_prep_socket_direct_alloc")]
pub struct SocketDirect {
    handle: Handle,
    domain: i32,
    kind: i32,
    protocol: i32,
}

// SAFETY: the entry names no memory and no descriptor.
unsafe impl Operation for SocketDirect {
    type Output = io::Result<Fd>;
    type Leftover = ();
    const NAME: &'static str = "socket direct";
    const HAS_FD: bool = false;

    fn prepare(&mut self) -> Sqe {
        // A direct descriptor never reaches a program that is executed: the kernel refuses the
        // flag that would say so.
        let kind = self.kind & !libc::SOCK_CLOEXEC;
        Sqe {
            offset: u64::from(kind.cast_unsigned()),
            len: self.protocol.cast_unsigned(),
            file_index: ALLOC,
            ..Sqe::new(io_uring::opcode::Socket::CODE, self.domain)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        new_direct(self.handle, cqe)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Gives a socket its address. Linux 6.11. Counterpart: `io_uring_prep_bind(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_bind")]
pub struct Bind {
    fd: Fd,
    address: SocketAddress,
}

// SAFETY: as the module says; the address is inside the operation, which does not move.
unsafe impl Operation for Bind {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "bind";

    fn prepare(&mut self) -> Sqe {
        let address = self.address.as_bytes();
        Sqe {
            address: address.as_ptr().expose_provenance() as u64,
            offset: address.len() as u64,
            ..Sqe::on(io_uring::opcode::Bind::CODE, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Lets connections come in. Linux 6.11. Counterpart: `io_uring_prep_listen(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_listen")]
pub struct Listen {
    fd: Fd,
    backlog: u32,
}

// SAFETY: as the module says.
unsafe impl Operation for Listen {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "listen";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            // The kernel has it as a signed number, and cuts it off at its own limit.
            len: self.backlog.min(i32::MAX.cast_unsigned()),
            ..Sqe::on(io_uring::opcode::Listen::CODE, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Ends one direction of a connection, or both. Linux 5.11. Counterpart:
/// `io_uring_prep_shutdown(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_shutdown")]
pub struct Shutdown {
    fd: Fd,
    how: How,
}

// SAFETY: as the module says.
unsafe impl Operation for Shutdown {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "shutdown";

    fn prepare(&mut self) -> Sqe {
        let how = match self.how {
            How::Read => libc::SHUT_RD,
            How::Write => libc::SHUT_WR,
            How::Both => libc::SHUT_RDWR,
        };
        Sqe {
            len: how.cast_unsigned(),
            ..Sqe::on(io_uring::opcode::Shutdown::CODE, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

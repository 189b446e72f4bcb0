//! Accepting connections.

use std::io;
use std::os::fd::OwnedFd;

use super::address::{AddressRoom, SocketAddress};
use super::direct::{ALLOC, new_direct};
use super::new_fd;
use crate::buf::Chunk;
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Multishot, Op, OpStream, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Accepts one connection, closed on exec. Counterpart: `accept4(2)`,
    /// `io_uring_prep_accept(3)`.
    ///
    /// A dropped accept closes a connection that it had accepted; an
    /// [`Acceptor`](crate::Acceptor) keeps it for the next caller.
    pub fn accept(&self, fd: &Fd) -> Op<Accept> {
        self.submit(Accept { fd: fd.clone() })
    }

    /// Accepts one connection and tells whose it is. Counterpart: `accept4(2)`,
    /// `io_uring_prep_accept(3)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    /// use std::net::{TcpListener, TcpStream};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let client = TcpStream::connect(listener.local_addr()?)?;
    /// let listener = handle.adopt(listener);
    /// let (connection, peer) = proactor.block_on(handle.accept_from(&listener))??;
    /// assert_eq!(peer.as_ip(), Some(client.local_addr()?));
    /// # drop(connection);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn accept_from(&self, fd: &Fd) -> Op<AcceptFrom> {
        self.submit(AcceptFrom {
            fd: fd.clone(),
            peer: AddressRoom::new(),
        })
    }

    /// Accepts one connection after the other, closed on exec. Counterpart:
    /// `io_uring_prep_multishot_accept(3)`.
    ///
    /// One task takes them; an [`Acceptor`](crate::Acceptor) serves several. The addresses of the
    /// peers are not told, because one that arrives would overwrite the one before it:
    /// `getpeername(2)` tells them.
    pub fn accept_multishot(&self, fd: &Fd) -> OpStream<AcceptMultishot> {
        OpStream::new(self.clone(), AcceptMultishot { fd: fd.clone() })
    }

    /// Accepts one connection as a direct descriptor. Counterpart:
    /// `io_uring_prep_accept_direct(3)`.
    ///
    /// If the table is full when a connection comes, the future gives `ENFILE` and the kernel closes
    /// the connection. [`accept`](Self::accept) loses none.
    ///
    /// # Errors
    ///
    /// `EMFILE` if the table cannot be made.
    pub fn accept_direct(&self, fd: &Fd) -> io::Result<Op<AcceptDirect>> {
        self.shared().direct_table()?;
        Ok(self.submit(AcceptDirect {
            handle: self.clone(),
            fd: fd.clone(),
        }))
    }

    /// Accepts one connection after the other, as direct descriptors. Counterpart:
    /// `io_uring_prep_multishot_accept_direct(3)`.
    ///
    /// As with [`accept_direct`](Self::accept_direct), a connection that finds the table full is
    /// closed by the kernel. Keep [`OpStream::limit`] well below the size of the table.
    ///
    /// # Errors
    ///
    /// `EMFILE` if the table cannot be made.
    pub fn accept_multishot_direct(&self, fd: &Fd) -> io::Result<OpStream<AcceptMultishotDirect>> {
        self.shared().direct_table()?;
        let accept = AcceptDirect {
            handle: self.clone(),
            fd: fd.clone(),
        };
        Ok(OpStream::new(self.clone(), AcceptMultishotDirect(accept)))
    }
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

/// Accepts one connection and tells whose it is. Linux 5.5. Counterpart:
/// `io_uring_prep_accept(3)`.
#[derive(Debug)]
pub struct AcceptFrom {
    fd: Fd,
    peer: AddressRoom,
}

// SAFETY: as the module says; the room for the address is inside the operation, which does not
// move.
unsafe impl Operation for AcceptFrom {
    /// The connection and its peer. That of a unix socket without a name is unnamed.
    type Output = io::Result<(OwnedFd, SocketAddress)>;
    type Leftover = ();
    const NAME: &'static str = "accept";

    fn prepare(&mut self) -> Sqe {
        self.peer = AddressRoom::new();
        Sqe {
            address: (&raw mut self.peer.bytes).expose_provenance() as u64,
            offset: (&raw mut self.peer.len).expose_provenance() as u64,
            op_flags: libc::SOCK_CLOEXEC.cast_unsigned(),
            ..Sqe::on(io_uring::opcode::Accept::CODE, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        let connection = new_fd(cqe)?;
        let peer = self.peer.read(self.peer.len);
        Ok((connection, peer.unwrap_or(SocketAddress::UNSPECIFIED)))
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

    fn item(&mut self, cqe: Cqe, _lent: Option<Chunk>) -> io::Result<Self::Item> {
        new_fd(cqe)
    }
}

/// Accepts one connection as a direct descriptor. Linux 5.19. Counterpart:
/// `io_uring_prep_accept_direct(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_accept_direct")]
pub struct AcceptDirect {
    handle: Handle,
    fd: Fd,
}

// SAFETY: as the module says.
unsafe impl Operation for AcceptDirect {
    type Output = io::Result<Fd>;
    type Leftover = ();
    const NAME: &'static str = "accept direct";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            file_index: ALLOC,
            ..Sqe::on(io_uring::opcode::Accept::CODE, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        new_direct(self.handle, cqe)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Accepts one connection after the other, as direct descriptors. Linux 5.19. Counterpart:
/// `io_uring_prep_multishot_accept_direct(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_multishot_accept_direct")]
pub struct AcceptMultishotDirect(AcceptDirect);

// SAFETY: as the module says.
unsafe impl Multishot for AcceptMultishotDirect {
    type Item = Fd;
    const NAME: &'static str = "accept multishot direct";

    fn prepare(&mut self, sqe: &mut Sqe) {
        *sqe = Sqe {
            ioprio: ACCEPT_MULTISHOT,
            ..self.0.prepare()
        };
    }

    fn item(&mut self, cqe: Cqe, _lent: Option<Chunk>) -> io::Result<Self::Item> {
        new_direct(self.0.handle.clone(), cqe)
    }
}

/// `IORING_ACCEPT_MULTISHOT`.
pub(crate) const ACCEPT_MULTISHOT: u16 = 1 << 0;

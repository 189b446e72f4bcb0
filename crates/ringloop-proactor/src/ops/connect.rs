//! Connecting sockets.

use std::io;

use super::address::SocketAddress;
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Connects a socket. Counterpart: `connect(2)`, `io_uring_prep_connect(3)`.
    ///
    /// # Cancel safety
    ///
    /// A connect that was cancelled or dropped goes on in the kernel: close the socket, do not use
    /// it again.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    /// use std::net::TcpListener;
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let listener = TcpListener::bind("127.0.0.1:0")?;
    /// let socket = proactor.block_on(handle.socket(libc::AF_INET, libc::SOCK_STREAM, 0))??;
    /// let socket = handle.adopt(socket);
    /// proactor.block_on(handle.connect(&socket, listener.local_addr()?))??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn connect(&self, fd: &Fd, address: impl Into<SocketAddress>) -> Op<Connect> {
        self.submit(Connect {
            fd: fd.clone(),
            address: address.into(),
        })
    }
}

/// Connects a socket. Linux 5.5. Counterpart: `io_uring_prep_connect(3)`.
///
/// A connect that was cancelled goes on in the kernel: close the socket, do not use it again.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_connect")]
pub struct Connect {
    fd: Fd,
    address: SocketAddress,
}

// SAFETY: as the module says; the address is inside the operation, which does not move.
unsafe impl Operation for Connect {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "connect";

    fn prepare(&mut self) -> Sqe {
        let address = self.address.as_bytes();
        Sqe {
            address: address.as_ptr().expose_provenance() as u64,
            offset: address.len() as u64,
            ..Sqe::on(io_uring::opcode::Connect::CODE, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

const _: () = assert!(size_of::<Connect>() <= 64, "it fits into a slot");

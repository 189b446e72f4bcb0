//! Receiving and sending with owned buffers.

use crate::buf::{IoBuf, IoBufMut, Named, OpError};
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Receives into an owned buffer, once. Counterpart: `recv(2)`, `io_uring_prep_recv(3)`.
    ///
    /// At most one receive may be in flight on a socket: several complete in any order.
    pub fn recv<B: IoBufMut>(&self, fd: &Fd, buffer: B) -> Op<Recv<B>> {
        let (fd, buffer) = (fd.clone(), Named::new(buffer));
        self.submit(Recv { fd, buffer })
    }

    /// Sends from an owned buffer, once. Counterpart: `send(2)`, `io_uring_prep_send(3)`.
    ///
    /// At most one send may be in flight on a socket: several interleave.
    pub fn send<B: IoBuf>(&self, fd: &Fd, buffer: B) -> Op<Send<B>> {
        let fd = fd.clone();
        self.submit(Send { fd, buffer })
    }
}

/// Receives into an owned buffer. Linux 5.6. Counterpart: `io_uring_prep_recv(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_recv")]
pub struct Recv<B> {
    fd: Fd,
    buffer: Named<B>,
}

// SAFETY: as the module says.
unsafe impl<B: IoBufMut> Operation for Recv<B> {
    type Output = Result<(usize, B), OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "recv";

    fn prepare(&mut self) -> Sqe {
        let (start, len) = self.buffer.name();
        Sqe::on(io_uring::opcode::Recv::CODE, &self.fd).memory(start, len)
    }

    #[inline]
    fn complete(self, cqe: Cqe) -> Self::Output {
        self.buffer.finish(cqe)
    }

    fn reclaim(self) -> Self::Leftover {
        self.buffer.into_inner()
    }
}

/// Sends from an owned buffer, some of it or all. Linux 5.6. Counterpart: `io_uring_prep_send(3)`.
///
/// A connection that the peer has closed is an error (`EPIPE`), never a signal.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_send")]
pub struct Send<B> {
    fd: Fd,
    buffer: B,
}

// SAFETY: as the module says.
unsafe impl<B: IoBuf> Operation for Send<B> {
    type Output = Result<(usize, B), OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "send";

    fn prepare(&mut self) -> Sqe {
        let bytes = self.buffer.as_slice();
        Sqe {
            op_flags: libc::MSG_NOSIGNAL.unsigned_abs(),
            ..Sqe::on(io_uring::opcode::Send::CODE, &self.fd).memory(bytes.as_ptr(), bytes.len())
        }
    }

    #[inline]
    fn complete(self, cqe: Cqe) -> Self::Output {
        counted(self.buffer, cqe)
    }

    fn reclaim(self) -> Self::Leftover {
        self.buffer
    }
}

/// The count and the buffer of an operation that read from it.
#[inline]
pub(super) fn counted<B>(buffer: B, cqe: Cqe) -> Result<(usize, B), OpError<B>> {
    match cqe.result() {
        Ok(count) => Ok((count as usize, buffer)),
        Err(error) => Err(OpError::new(error, buffer)),
    }
}

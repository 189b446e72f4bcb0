//! Receiving and sending with owned buffers.

use std::os::fd::AsRawFd;

use crate::buf::{IoBuf, IoBufMut, OpError};
use crate::fd::Fd;
use crate::op::Operation;
use crate::ring::{Cqe, Sqe};

/// Receives into an owned buffer. Counterpart: `io_uring_prep_recv(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_recv")]
pub struct Recv<B> {
    fd: Fd,
    buffer: B,
}

impl<B: IoBufMut> Recv<B> {
    pub(crate) fn new(fd: Fd, buffer: B) -> Self {
        Self { fd, buffer }
    }
}

// SAFETY: as the module says.
unsafe impl<B: IoBufMut> Operation for Recv<B> {
    type Output = Result<(usize, B), OpError<B>>;

    fn prepare(&mut self) -> Sqe {
        let room = self.buffer.as_uninit();
        Sqe::new(io_uring::opcode::Recv::CODE, self.fd.as_raw_fd())
            .memory(room.as_ptr().cast(), room.len())
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        filled(self.buffer, cqe)
    }
}

/// Sends from an owned buffer, some of it or all. Counterpart: `io_uring_prep_send(3)`.
///
/// A connection that the peer has closed is an error (`EPIPE`), never a signal.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_send")]
pub struct Send<B> {
    fd: Fd,
    buffer: B,
}

impl<B: IoBuf> Send<B> {
    pub(crate) fn new(fd: Fd, buffer: B) -> Self {
        Self { fd, buffer }
    }
}

// SAFETY: as the module says.
unsafe impl<B: IoBuf> Operation for Send<B> {
    type Output = Result<(usize, B), OpError<B>>;

    fn prepare(&mut self) -> Sqe {
        let bytes = self.buffer.as_slice();
        Sqe {
            op_flags: libc::MSG_NOSIGNAL.unsigned_abs(),
            ..Sqe::new(io_uring::opcode::Send::CODE, self.fd.as_raw_fd())
                .memory(bytes.as_ptr(), bytes.len())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        counted(self.buffer, cqe)
    }
}

/// The count and the buffer of an operation that read from it.
pub(super) fn counted<B>(buffer: B, cqe: Cqe) -> Result<(usize, B), OpError<B>> {
    match cqe.result() {
        Ok(count) => Ok((count as usize, buffer)),
        Err(error) => Err(OpError::new(error, buffer)),
    }
}

/// The count and the buffer of an operation that filled it.
pub(super) fn filled<B: IoBufMut>(mut buffer: B, cqe: Cqe) -> Result<(usize, B), OpError<B>> {
    if let Ok(count) = cqe.result() {
        // SAFETY: the kernel wrote `count` bytes to the start of the room that `prepare` named.
        unsafe { buffer.set_filled(count as usize) };
    }
    counted(buffer, cqe)
}

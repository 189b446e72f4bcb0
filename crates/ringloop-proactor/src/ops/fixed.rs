//! Reading into and writing from registered buffers.

use super::no_signal::no_signal;
use super::offset::explain;
use super::stream::counted;
use crate::buf::{Named, OpError, RegisteredBuf};
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Reads at an offset, or at the file's position if it is `u64::MAX`, into a registered
    /// buffer of this proactor. Counterpart: `pread(2)`, `io_uring_prep_read_fixed(3)`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read); `EFAULT` if the buffer is registered with another proactor.
    pub fn read_fixed<B: RegisteredBuf>(
        &self,
        fd: &Fd,
        buffer: B,
        offset: u64,
    ) -> Op<ReadFixed<B>> {
        let index = buffer.index();
        let (fd, buffer) = (fd.clone(), Named::new(buffer));
        let read = ReadFixed {
            fd,
            buffer,
            index,
            offset,
        };
        self.submit_at(offset, read)
    }

    /// Writes at an offset, or at the file's position if it is `u64::MAX`, from a registered
    /// buffer of this proactor. Counterpart: `pwrite(2)`, `io_uring_prep_write_fixed(3)`.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write); `EFAULT` if the buffer is registered with another proactor.
    pub fn write_fixed<B: RegisteredBuf>(
        &self,
        fd: &Fd,
        buffer: B,
        offset: u64,
    ) -> Op<WriteFixed<B>> {
        let fd = fd.clone();
        self.submit_at(offset, WriteFixed { fd, buffer, offset })
    }
}

/// Reads into a registered buffer. Linux 5.1. Counterpart: `io_uring_prep_read_fixed(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_read_fixed")]
pub struct ReadFixed<B> {
    fd: Fd,
    buffer: Named<B>,
    index: u16,
    offset: u64,
}

// SAFETY: as the module says.
unsafe impl<B: RegisteredBuf> Operation for ReadFixed<B> {
    type Output = Result<(usize, B), OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "read fixed";

    fn prepare(&mut self) -> Sqe {
        let (start, len) = self.buffer.name();
        Sqe {
            offset: self.offset,
            buffer: self.index,
            ..Sqe::on(io_uring::opcode::ReadFixed::CODE, &self.fd).memory(start, len)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        let result = self.buffer.finish(cqe);
        result.map_err(|error| explain(error, self.offset))
    }

    fn reclaim(self) -> Self::Leftover {
        self.buffer.into_inner()
    }
}

/// Writes from a registered buffer. Linux 5.1. Counterpart: `io_uring_prep_write_fixed(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_write_fixed")]
pub struct WriteFixed<B> {
    fd: Fd,
    buffer: B,
    offset: u64,
}

// SAFETY: as the module says.
unsafe impl<B: RegisteredBuf> Operation for WriteFixed<B> {
    type Output = Result<(usize, B), OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "write fixed";

    fn prepare(&mut self) -> Sqe {
        let bytes = self.buffer.as_slice();
        Sqe {
            offset: self.offset,
            buffer: self.buffer.index(),
            op_flags: no_signal(),
            ..Sqe::on(io_uring::opcode::WriteFixed::CODE, &self.fd)
                .memory(bytes.as_ptr(), bytes.len())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        let result = counted(self.buffer, cqe);
        result.map_err(|error| explain(error, self.offset))
    }

    fn reclaim(self) -> Self::Leftover {
        self.buffer
    }
}

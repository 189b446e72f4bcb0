//! Opening, reading and writing files.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use super::new_fd;
use super::stream::{counted, filled};
use crate::buf::{IoBuf, IoBufMut, OpError};
use crate::fd::Fd;
use crate::op::Operation;
use crate::ring::{Cqe, Sqe};

/// Opens a file. Counterpart: `io_uring_prep_openat(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_openat")]
pub struct OpenAt {
    path: CString,
    flags: i32,
    mode: u32,
}

impl OpenAt {
    pub(crate) fn new(path: CString, flags: i32, mode: u32) -> Self {
        Self { path, flags, mode }
    }
}

// SAFETY: as the module says; the bytes of a `CString` are on the heap.
unsafe impl Operation for OpenAt {
    type Output = io::Result<OwnedFd>;

    fn prepare(&mut self) -> Sqe {
        Sqe {
            address: self.path.as_ptr().expose_provenance() as u64,
            len: self.mode,
            op_flags: (self.flags | libc::O_CLOEXEC).cast_unsigned(),
            ..Sqe::new(io_uring::opcode::OpenAt::CODE, libc::AT_FDCWD)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        new_fd(cqe)
    }
}

/// Reads into an owned buffer. Counterpart: `io_uring_prep_read(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_read")]
pub struct Read<B> {
    fd: Fd,
    buffer: B,
    offset: u64,
}

impl<B: IoBufMut> Read<B> {
    pub(crate) fn new(fd: Fd, buffer: B, offset: u64) -> Self {
        Self { fd, buffer, offset }
    }
}

// SAFETY: as the module says.
unsafe impl<B: IoBufMut> Operation for Read<B> {
    type Output = Result<(usize, B), OpError<B>>;

    fn prepare(&mut self) -> Sqe {
        let room = self.buffer.as_uninit();
        Sqe {
            offset: self.offset,
            ..Sqe::new(io_uring::opcode::Read::CODE, self.fd.as_raw_fd())
                .memory(room.as_ptr().cast(), room.len())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        filled(self.buffer, cqe)
    }
}

/// Writes from an owned buffer. Counterpart: `io_uring_prep_write(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_write")]
pub struct Write<B> {
    fd: Fd,
    buffer: B,
    offset: u64,
}

impl<B: IoBuf> Write<B> {
    pub(crate) fn new(fd: Fd, buffer: B, offset: u64) -> Self {
        Self { fd, buffer, offset }
    }
}

// SAFETY: as the module says.
unsafe impl<B: IoBuf> Operation for Write<B> {
    type Output = Result<(usize, B), OpError<B>>;

    fn prepare(&mut self) -> Sqe {
        let bytes = self.buffer.as_slice();
        Sqe {
            offset: self.offset,
            ..Sqe::new(io_uring::opcode::Write::CODE, self.fd.as_raw_fd())
                .memory(bytes.as_ptr(), bytes.len())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        counted(self.buffer, cqe)
    }
}

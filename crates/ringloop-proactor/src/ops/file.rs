//! Opening, reading and writing files.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::new_fd;
use super::stream::counted;
use crate::buf::{IoBuf, IoBufMut, Named, OpError};
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Opens a file with `O_*` flags and permission bits, closed on exec. Counterpart: `open(2)`,
    /// `io_uring_prep_openat(3)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the path holds a zero byte; the future gives the errors of `open(2)`.
    pub fn open(&self, path: &Path, flags: i32, mode: u32) -> io::Result<Op<OpenAt>> {
        let path = c_path(path)?;
        Ok(self.submit(OpenAt { path, flags, mode }))
    }

    /// Reads at an offset, or at the file's position if it is `u64::MAX`. Counterpart: `pread(2)`,
    /// `io_uring_prep_read(3)`.
    pub fn read<B: IoBufMut>(&self, fd: &Fd, buffer: B, offset: u64) -> Op<Read<B>> {
        let (fd, buffer) = (fd.clone(), Named::new(buffer));
        self.submit(Read { fd, buffer, offset })
    }

    /// Writes at an offset, or at the file's position if it is `u64::MAX`. Counterpart:
    /// `pwrite(2)`, `io_uring_prep_write(3)`.
    ///
    /// Writing to a pipe that nobody reads raises `SIGPIPE`, which Rust programs ignore from the
    /// start; a program that restores its default has to do without this. [`send`](Self::send)
    /// never raises it.
    pub fn write<B: IoBuf>(&self, fd: &Fd, buffer: B, offset: u64) -> Op<Write<B>> {
        let fd = fd.clone();
        self.submit(Write { fd, buffer, offset })
    }
}

/// The path as the kernel reads it.
///
/// # Errors
///
/// `InvalidInput` if it holds a zero byte.
pub(super) fn c_path(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

/// Opens a file. Linux 5.6. Counterpart: `io_uring_prep_openat(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_openat")]
pub struct OpenAt {
    path: CString,
    flags: i32,
    mode: u32,
}

// SAFETY: as the module says; the bytes of a `CString` are on the heap.
unsafe impl Operation for OpenAt {
    type Output = io::Result<OwnedFd>;
    type Leftover = ();
    const NAME: &'static str = "openat";

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

    fn reclaim(self) -> Self::Leftover {}
}

/// Reads into an owned buffer. Linux 5.6. Counterpart: `io_uring_prep_read(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_read")]
pub struct Read<B> {
    fd: Fd,
    buffer: Named<B>,
    offset: u64,
}

// SAFETY: as the module says.
unsafe impl<B: IoBufMut> Operation for Read<B> {
    type Output = Result<(usize, B), OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "read";

    fn prepare(&mut self) -> Sqe {
        let (start, len) = self.buffer.name();
        Sqe {
            offset: self.offset,
            ..Sqe::on(io_uring::opcode::Read::CODE, &self.fd).memory(start, len)
        }
    }

    #[inline]
    fn complete(self, cqe: Cqe) -> Self::Output {
        self.buffer.finish(cqe)
    }

    fn reclaim(self) -> Self::Leftover {
        self.buffer.into_inner()
    }
}

/// Writes from an owned buffer. Linux 5.6. Counterpart: `io_uring_prep_write(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_write")]
pub struct Write<B> {
    fd: Fd,
    buffer: B,
    offset: u64,
}

// SAFETY: as the module says.
unsafe impl<B: IoBuf> Operation for Write<B> {
    type Output = Result<(usize, B), OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "write";

    fn prepare(&mut self) -> Sqe {
        let bytes = self.buffer.as_slice();
        Sqe {
            offset: self.offset,
            ..Sqe::on(io_uring::opcode::Write::CODE, &self.fd).memory(bytes.as_ptr(), bytes.len())
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

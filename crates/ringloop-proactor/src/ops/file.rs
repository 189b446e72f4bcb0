//! Reading and writing files.

use super::no_signal::no_signal;
use super::offset::explain;
use super::stream::counted;
use crate::buf::{IoBuf, IoBufMut, Named, OpError};
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Reads at an offset, or at the file's position if it is `u64::MAX`. Counterpart: `pread(2)`,
    /// `io_uring_prep_read(3)`.
    ///
    /// It reads 2 GiB at most. The future gives `InvalidInput`, and the kernel hears nothing, if
    /// the offset is another one beyond `i64::MAX`.
    pub fn read<B: IoBufMut>(&self, fd: &Fd, buffer: B, offset: u64) -> Op<Read<B>> {
        let read = Read {
            fd: fd.clone(),
            buffer: Named::new(buffer),
            offset,
        };
        self.submit_at(offset, read)
    }

    /// Reads as [`read`](Self::read) does, with `RWF_*` flags. Counterpart: `preadv2(2)`.
    ///
    /// With `RWF_NOWAIT` it gives `EAGAIN` instead of waiting for a disk. A flag that the kernel
    /// does not know is `EOPNOTSUPP`.
    pub fn read_with<B: IoBufMut>(
        &self,
        fd: &Fd,
        buffer: B,
        offset: u64,
        flags: i32,
    ) -> Op<ReadWith<B>> {
        let read = ReadWith {
            read: Read {
                fd: fd.clone(),
                buffer: Named::new(buffer),
                offset,
            },
            flags: flags.cast_unsigned(),
        };
        self.submit_at(offset, read)
    }

    /// Writes at an offset, or at the file's position if it is `u64::MAX`. Counterpart:
    /// `pwrite(2)`, `io_uring_prep_write(3)`.
    ///
    /// It writes 2 GiB at most. The future gives `InvalidInput`, and the kernel hears nothing, if
    /// the offset is another one beyond `i64::MAX`.
    ///
    /// Writing to a pipe or a socket that nobody reads is an error (`EPIPE`) and no signal. Before
    /// Linux 6.18 it also raises `SIGPIPE`, which Rust programs ignore from the start; one that
    /// restores its default has to do without this there. [`send`](Self::send) never raises it.
    pub fn write<B: IoBuf>(&self, fd: &Fd, buffer: B, offset: u64) -> Op<Write<B>> {
        let write = Write {
            fd: fd.clone(),
            buffer,
            offset,
        };
        self.submit_at(offset, write)
    }

    /// Writes as [`write`](Self::write) does, with `RWF_*` flags. Counterpart: `pwritev2(2)`.
    ///
    /// With `RWF_DSYNC` it is on the disk when it completes, with `RWF_APPEND` it goes to the end of
    /// the file. A flag that the kernel does not know is `EOPNOTSUPP`.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let path = std::env::temp_dir().join(format!("ringloop-append-{}", std::process::id()));
    /// std::fs::write(&path, "one, ")?;
    /// let file = handle.adopt(std::fs::File::options().write(true).open(&path)?);
    /// proactor.block_on(handle.write_with(&file, "two", 0, libc::RWF_APPEND))??;
    /// assert_eq!(std::fs::read_to_string(&path)?, "one, two");
    /// std::fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn write_with<B: IoBuf>(
        &self,
        fd: &Fd,
        buffer: B,
        offset: u64,
        flags: i32,
    ) -> Op<WriteWith<B>> {
        let write = WriteWith {
            write: Write {
                fd: fd.clone(),
                buffer,
                offset,
            },
            flags: flags.cast_unsigned(),
        };
        self.submit_at(offset, write)
    }
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
        let result = self.buffer.finish(cqe);
        result.map_err(|error| explain(error, self.offset))
    }

    fn reclaim(self) -> Self::Leftover {
        self.buffer.into_inner()
    }
}

/// Reads into an owned buffer, with flags. Linux 5.6. Counterpart: `io_uring_prep_read(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_readv2")]
pub struct ReadWith<B> {
    read: Read<B>,
    flags: u32,
}

// SAFETY: as for `Read`, which is inside this operation.
unsafe impl<B: IoBufMut> Operation for ReadWith<B> {
    type Output = Result<(usize, B), OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "read";

    fn prepare(&mut self) -> Sqe {
        let entry = self.read.prepare();
        let op_flags = entry.op_flags | self.flags;
        Sqe { op_flags, ..entry }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        self.read.complete(cqe)
    }

    fn reclaim(self) -> Self::Leftover {
        self.read.reclaim()
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
            op_flags: no_signal(),
            ..Sqe::on(io_uring::opcode::Write::CODE, &self.fd).memory(bytes.as_ptr(), bytes.len())
        }
    }

    #[inline]
    fn complete(self, cqe: Cqe) -> Self::Output {
        let result = counted(self.buffer, cqe);
        result.map_err(|error| explain(error, self.offset))
    }

    fn reclaim(self) -> Self::Leftover {
        self.buffer
    }
}

/// Writes from an owned buffer, with flags. Linux 5.6. Counterpart: `io_uring_prep_write(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_writev2")]
pub struct WriteWith<B> {
    write: Write<B>,
    flags: u32,
}

// SAFETY: as for `Write`, which is inside this operation.
unsafe impl<B: IoBuf> Operation for WriteWith<B> {
    type Output = Result<(usize, B), OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "write";

    fn prepare(&mut self) -> Sqe {
        let entry = self.write.prepare();
        let op_flags = entry.op_flags | self.flags;
        Sqe { op_flags, ..entry }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        self.write.complete(cqe)
    }

    fn reclaim(self) -> Self::Leftover {
        self.write.reclaim()
    }
}

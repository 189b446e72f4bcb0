//! Bringing a file's data to the disk.

use std::io;

use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Brings a file's data and metadata to the disk. Counterpart: `fsync(2)`,
    /// `io_uring_prep_fsync(3)`.
    ///
    /// It covers the writes that have completed, not those in flight: await them first, or link
    /// them with [`then`](crate::Link::then).
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Link, Proactor};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let path = std::env::temp_dir().join(format!("ringloop-fsync-{}", std::process::id()));
    /// let file = handle.adopt(std::fs::File::create(&path)?);
    /// let write = handle.write(&file, "kept", 0).then(handle.fsync(&file));
    /// let (written, synced) = proactor.block_on(write)?;
    /// assert_eq!(written?.0, 4);
    /// synced?;
    /// std::fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn fsync(&self, fd: &Fd) -> Op<Fsync> {
        let fd = fd.clone();
        self.submit(Fsync { fd, flags: 0 })
    }

    /// Brings a file's data to the disk, and of its metadata what is needed to read it.
    /// Counterpart: `fdatasync(2)`, `io_uring_prep_fsync(3)` with `IORING_FSYNC_DATASYNC`.
    pub fn fdatasync(&self, fd: &Fd) -> Op<Fsync> {
        self.submit(Fsync {
            fd: fd.clone(),
            flags: DATASYNC,
        })
    }

    /// Starts, or waits for, the writing of a part of a file to the disk, as the
    /// `SYNC_FILE_RANGE_*` flags say; a `len` of zero is all from `offset` on. Counterpart:
    /// `sync_file_range(2)`, `io_uring_prep_sync_file_range(3)`.
    ///
    /// It is no substitute for [`fdatasync`](Self::fdatasync): no metadata is written and no disk
    /// cache flushed.
    pub fn sync_file_range(&self, fd: &Fd, offset: u64, len: u32, flags: u32) -> Op<SyncFileRange> {
        self.submit(SyncFileRange {
            fd: fd.clone(),
            offset,
            len,
            flags,
        })
    }
}

/// Brings a file to the disk. Linux 5.1. Counterpart: `io_uring_prep_fsync(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_fsync")]
pub struct Fsync {
    fd: Fd,
    flags: u32,
}

// SAFETY: as the module says.
unsafe impl Operation for Fsync {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "fsync";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            op_flags: self.flags,
            ..Sqe::on(io_uring::opcode::Fsync::CODE, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Brings a part of a file to the disk. Linux 5.2. Counterpart:
/// `io_uring_prep_sync_file_range(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_sync_file_range")]
pub struct SyncFileRange {
    fd: Fd,
    offset: u64,
    len: u32,
    flags: u32,
}

// SAFETY: as the module says.
unsafe impl Operation for SyncFileRange {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "sync_file_range";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            offset: self.offset,
            len: self.len,
            op_flags: self.flags,
            ..Sqe::on(io_uring::opcode::SyncFileRange::CODE, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// `IORING_FSYNC_DATASYNC`.
const DATASYNC: u32 = 1 << 0;

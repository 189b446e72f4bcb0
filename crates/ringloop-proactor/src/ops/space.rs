//! The room that a file takes.

use std::io;

use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Allocates, zeroes, punches out, collapses or inserts a part of a file, as the
    /// `FALLOC_FL_*` flags of `mode` say; zero allocates, and makes the file longer if need be.
    /// Counterpart: `fallocate(2)`, `io_uring_prep_fallocate(3)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let path = std::env::temp_dir().join(format!("ringloop-room-{}", std::process::id()));
    /// let file = handle.adopt(std::fs::File::create(&path)?);
    /// proactor.block_on(handle.fallocate(&file, 0, 0, 1 << 16))??;
    /// assert_eq!(std::fs::metadata(&path)?.len(), 1 << 16);
    /// std::fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn fallocate(&self, fd: &Fd, mode: i32, offset: u64, len: u64) -> Op<Fallocate> {
        self.submit(Fallocate {
            fd: fd.clone(),
            mode,
            offset,
            len,
        })
    }

    /// Makes a file `len` bytes long: cuts it off, or adds a hole. Counterpart: `ftruncate(2)`,
    /// `io_uring_prep_ftruncate(3)`.
    ///
    /// # Errors
    ///
    /// `Unsupported` before Linux 6.9; the future gives the errors of `ftruncate(2)`.
    pub fn ftruncate(&self, fd: &Fd, len: u64) -> io::Result<Op<Ftruncate>> {
        self.require(io_uring::opcode::Ftruncate::CODE, Ftruncate::NAME, "6.9")?;
        let fd = fd.clone();
        Ok(self.submit(Ftruncate { fd, len }))
    }
}

/// Allocates or frees a part of a file. Linux 5.6. Counterpart: `io_uring_prep_fallocate(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_fallocate")]
pub struct Fallocate {
    fd: Fd,
    mode: i32,
    offset: u64,
    len: u64,
}

// SAFETY: as the module says; the field for an address holds the length.
unsafe impl Operation for Fallocate {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "fallocate";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            offset: self.offset,
            address: self.len,
            len: self.mode.cast_unsigned(),
            ..Sqe::on(io_uring::opcode::Fallocate::CODE, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Sets the length of a file. Linux 6.9. Counterpart: `io_uring_prep_ftruncate(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_ftruncate")]
pub struct Ftruncate {
    fd: Fd,
    len: u64,
}

// SAFETY: as the module says.
unsafe impl Operation for Ftruncate {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "ftruncate";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            offset: self.len,
            ..Sqe::on(io_uring::opcode::Ftruncate::CODE, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

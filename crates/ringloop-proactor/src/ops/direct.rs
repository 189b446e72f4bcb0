//! Direct descriptors: slots of the ring's own table instead of numbers of the process.

use std::io;
use std::os::fd::OwnedFd;

use super::new_fd;
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Makes a direct descriptor of the file or socket behind a plain one. Counterpart:
    /// `io_uring_prep_files_update(3)`.
    ///
    /// Both stay open until they are dropped.
    ///
    /// # Errors
    ///
    /// `EMFILE` if the table of [`Config::direct_descriptors`](crate::Config::direct_descriptors)
    /// slots cannot be made. The future gives `ENFILE` if it is full, and `EBADF` for a descriptor
    /// that is direct already.
    pub fn register(&self, fd: &Fd) -> io::Result<Op<FilesUpdate>> {
        self.shared().direct_table()?;
        Ok(self.submit(FilesUpdate {
            handle: self.clone(),
            number: [-1],
            fd: fd.clone(),
        }))
    }

    /// Makes a plain descriptor, closed on exec, of the file or socket behind a direct one.
    /// Counterpart: `io_uring_prep_fixed_fd_install(3)`.
    ///
    /// # Errors
    ///
    /// `Unsupported` before Linux 6.8. The future gives `EBADF` for a plain descriptor.
    pub fn install(&self, fd: &Fd) -> io::Result<Op<FixedFdInstall>> {
        let code = io_uring::opcode::FixedFdInstall::CODE;
        self.require(code, "fixed_fd_install", "6.8")?;
        Ok(self.submit(FixedFdInstall { fd: fd.clone() }))
    }
}

/// Makes a direct descriptor of a plain one. Linux 5.6, with slots picked by the kernel 5.19.
/// Counterpart: `io_uring_prep_files_update(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_files_update")]
pub struct FilesUpdate {
    handle: Handle,
    /// The kernel reads a number here and writes the slot.
    number: [i32; 1],
    fd: Fd,
}

// SAFETY: as the module says; the number is inside the operation, which does not move.
unsafe impl Operation for FilesUpdate {
    type Output = io::Result<Fd>;
    type Leftover = ();
    const NAME: &'static str = "files_update";

    fn prepare(&mut self) -> Sqe {
        self.number = [match self.fd.is_direct() {
            false => self.fd.target().number,
            true => -1,
        }];
        Sqe {
            offset: ALLOC.into(),
            ..Sqe::new(io_uring::opcode::FilesUpdate::CODE, -1)
                .memory((&raw mut self.number).cast(), self.number.len())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        match cqe.result()? {
            0 => Err(io::Error::from_raw_os_error(libc::EBADF)),
            _ => {
                let [slot] = self.number;
                Ok(Fd::direct(self.handle, slot.cast_unsigned()))
            }
        }
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Makes a plain descriptor of a direct one. Linux 6.8. Counterpart:
/// `io_uring_prep_fixed_fd_install(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_fixed_fd_install")]
pub struct FixedFdInstall {
    fd: Fd,
}

// SAFETY: as the module says.
unsafe impl Operation for FixedFdInstall {
    type Output = io::Result<OwnedFd>;
    type Leftover = ();
    const NAME: &'static str = "fixed_fd_install";

    fn prepare(&mut self) -> Sqe {
        Sqe::on(io_uring::opcode::FixedFdInstall::CODE, &self.fd)
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        new_fd(cqe)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// The direct descriptor that a completion brings.
pub(crate) fn new_direct(handle: Handle, cqe: Cqe) -> io::Result<Fd> {
    Ok(Fd::direct(handle, cqe.result()?))
}

/// `IORING_FILE_INDEX_ALLOC`: the kernel picks the slot.
pub(crate) const ALLOC: u32 = u32::MAX;

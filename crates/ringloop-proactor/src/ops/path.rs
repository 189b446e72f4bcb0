//! Making, removing, renaming and linking names.

use std::ffi::CString;
use std::io;
use std::path::Path;

use super::place::{Place, c_address, c_string};
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Removes a name, or with `AT_REMOVEDIR` an empty directory. The path is relative to a
    /// directory; `None` is the working directory. Counterpart: `unlinkat(2)`,
    /// `io_uring_prep_unlinkat(3)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the path holds a zero byte or the directory is a direct descriptor; the
    /// future gives the errors of `unlinkat(2)`.
    pub fn unlinkat(
        &self,
        directory: Option<&Fd>,
        path: impl AsRef<Path>,
        flags: i32,
    ) -> io::Result<Op<UnlinkAt>> {
        Ok(self.submit(UnlinkAt {
            place: Place::new(directory, path.as_ref(), UnlinkAt::NAME)?,
            flags,
        }))
    }

    /// Gives a file another name, with `RENAME_*` flags. Each path is relative to the directory
    /// before it; `None` is the working directory. Counterpart: `renameat2(2)`,
    /// `io_uring_prep_renameat(3)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if a path holds a zero byte or a directory is a direct descriptor; the future
    /// gives the errors of `renameat2(2)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let name = std::env::temp_dir().join(format!("ringloop-rename-{}", std::process::id()));
    /// proactor.block_on(handle.mkdirat(None, &name, 0o700)?)??;
    /// let directory = handle.adopt(std::fs::File::open(&name)?);
    /// std::fs::write(name.join("draft"), "text")?;
    /// // Whoever opens the final name sees the whole text or nothing.
    /// let rename = handle.renameat2(Some(&directory), "draft", Some(&directory), "final", 0)?;
    /// proactor.block_on(rename)??;
    /// assert_eq!(std::fs::read_to_string(name.join("final"))?, "text");
    /// std::fs::remove_dir_all(&name)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn renameat2(
        &self,
        from_directory: Option<&Fd>,
        from: impl AsRef<Path>,
        to_directory: Option<&Fd>,
        to: impl AsRef<Path>,
        flags: u32,
    ) -> io::Result<Op<RenameAt>> {
        Ok(self.submit(RenameAt {
            from: Place::new(from_directory, from.as_ref(), RenameAt::NAME)?,
            to: Place::new(to_directory, to.as_ref(), RenameAt::NAME)?,
            flags,
        }))
    }

    /// Makes a directory with permission bits, less those of the process's umask. The path is
    /// relative to a directory; `None` is the working directory. Counterpart: `mkdirat(2)`,
    /// `io_uring_prep_mkdirat(3)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the path holds a zero byte or the directory is a direct descriptor; the
    /// future gives the errors of `mkdirat(2)`.
    pub fn mkdirat(
        &self,
        directory: Option<&Fd>,
        path: impl AsRef<Path>,
        mode: u32,
    ) -> io::Result<Op<MkDirAt>> {
        Ok(self.submit(MkDirAt {
            place: Place::new(directory, path.as_ref(), MkDirAt::NAME)?,
            mode,
        }))
    }

    /// Makes a symbolic link that holds `target`. The path is relative to a directory; `None` is the
    /// working directory. Counterpart: `symlinkat(2)`, `io_uring_prep_symlinkat(3)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the target or the path holds a zero byte or the directory is a direct
    /// descriptor; the future gives the errors of `symlinkat(2)`.
    pub fn symlinkat(
        &self,
        target: impl AsRef<Path>,
        directory: Option<&Fd>,
        path: impl AsRef<Path>,
    ) -> io::Result<Op<SymlinkAt>> {
        Ok(self.submit(SymlinkAt {
            target: c_string(target.as_ref().as_os_str())?,
            place: Place::new(directory, path.as_ref(), SymlinkAt::NAME)?,
        }))
    }

    /// Gives a file one more name, with `AT_*` flags. Each path is relative to the directory before
    /// it; `None` is the working directory. Counterpart: `linkat(2)`, `io_uring_prep_linkat(3)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if a path holds a zero byte or a directory is a direct descriptor; the future
    /// gives the errors of `linkat(2)`.
    pub fn linkat(
        &self,
        from_directory: Option<&Fd>,
        from: impl AsRef<Path>,
        to_directory: Option<&Fd>,
        to: impl AsRef<Path>,
        flags: i32,
    ) -> io::Result<Op<LinkAt>> {
        Ok(self.submit(LinkAt {
            from: Place::new(from_directory, from.as_ref(), LinkAt::NAME)?,
            to: Place::new(to_directory, to.as_ref(), LinkAt::NAME)?,
            flags,
        }))
    }
}

/// Removes a name. Linux 5.11. Counterpart: `io_uring_prep_unlinkat(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_unlinkat")]
pub struct UnlinkAt {
    place: Place,
    flags: i32,
}

// SAFETY: as the module says; the path is on the heap.
unsafe impl Operation for UnlinkAt {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "unlinkat";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            address: self.place.address(),
            op_flags: self.flags.cast_unsigned(),
            ..Sqe::new(io_uring::opcode::UnlinkAt::CODE, self.place.directory())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Gives a file another name. Linux 5.11. Counterpart: `io_uring_prep_renameat(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_renameat")]
pub struct RenameAt {
    from: Place,
    to: Place,
    flags: u32,
}

// SAFETY: as the module says; the paths are on the heap.
unsafe impl Operation for RenameAt {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "renameat2";

    fn prepare(&mut self) -> Sqe {
        let code = io_uring::opcode::RenameAt::CODE;
        between(code, &self.from, &self.to, self.flags)
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Makes a directory. Linux 5.15. Counterpart: `io_uring_prep_mkdirat(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_mkdirat")]
pub struct MkDirAt {
    place: Place,
    mode: u32,
}

// SAFETY: as the module says; the path is on the heap.
unsafe impl Operation for MkDirAt {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "mkdirat";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            address: self.place.address(),
            len: self.mode,
            ..Sqe::new(io_uring::opcode::MkDirAt::CODE, self.place.directory())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Makes a symbolic link. Linux 5.15. Counterpart: `io_uring_prep_symlinkat(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_symlinkat")]
pub struct SymlinkAt {
    target: CString,
    place: Place,
}

// SAFETY: as the module says; the target and the path are on the heap.
unsafe impl Operation for SymlinkAt {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "symlinkat";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            address: c_address(&self.target),
            offset: self.place.address(),
            ..Sqe::new(io_uring::opcode::SymlinkAt::CODE, self.place.directory())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Gives a file one more name. Linux 5.15. Counterpart: `io_uring_prep_linkat(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_linkat")]
pub struct LinkAt {
    from: Place,
    to: Place,
    flags: i32,
}

// SAFETY: as the module says; the paths are on the heap.
unsafe impl Operation for LinkAt {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "linkat";

    fn prepare(&mut self) -> Sqe {
        let (code, flags) = (io_uring::opcode::LinkAt::CODE, self.flags.cast_unsigned());
        between(code, &self.from, &self.to, flags)
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// The entry of an operation on two paths.
fn between(opcode: u8, from: &Place, to: &Place, flags: u32) -> Sqe {
    Sqe {
        address: from.address(),
        offset: to.address(),
        len: to.directory().cast_unsigned(),
        op_flags: flags,
        ..Sqe::new(opcode, from.directory())
    }
}

//! Extended attributes of files.

use std::ffi::{CString, OsStr};
use std::io;
use std::path::Path;

use super::place::{c_address, c_string};
use super::stream::counted;
use crate::buf::{IoBuf, IoBufMut, Named, OpError};
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Reads an attribute of the file at a path, relative to the working directory. Counterpart:
    /// `getxattr(2)`, `io_uring_prep_getxattr(3)`.
    ///
    /// If the buffer has no room, the count is the length of the attribute.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the path or the name holds a zero byte. The future gives the errors of
    /// `getxattr(2)`: `ENODATA` if there is no such attribute, `ERANGE` if it is longer than the
    /// buffer.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let path = std::env::temp_dir().join(format!("ringloop-tag-{}", std::process::id()));
    /// std::fs::write(&path, "")?;
    /// match proactor.block_on(handle.setxattr(&path, "user.tag", "blue", 0)?)? {
    ///     Ok(_) => {
    ///         let get = handle.getxattr(&path, "user.tag", Vec::with_capacity(64))?;
    ///         let (count, tag) = proactor.block_on(get)??;
    ///         assert_eq!((count, tag), (4, b"blue".to_vec()));
    ///     }
    ///     // Not every file system keeps attributes.
    ///     Err(error) => assert_eq!(error.error.raw_os_error(), Some(libc::EOPNOTSUPP)),
    /// }
    /// std::fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn getxattr<B: IoBufMut>(
        &self,
        path: impl AsRef<Path>,
        name: impl AsRef<OsStr>,
        buffer: B,
    ) -> io::Result<Op<GetXattr<B>>> {
        Ok(self.submit(GetXattr {
            path: c_string(path.as_ref().as_os_str())?,
            value: Getting::new(name.as_ref(), buffer)?,
        }))
    }

    /// Sets an attribute of the file at a path, relative to the working directory, and gives the
    /// buffer back. `flags` are `XATTR_CREATE` and `XATTR_REPLACE`. Counterpart: `setxattr(2)`,
    /// `io_uring_prep_setxattr(3)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the path or the name holds a zero byte; the future gives the errors of
    /// `setxattr(2)`.
    pub fn setxattr<B: IoBuf>(
        &self,
        path: impl AsRef<Path>,
        name: impl AsRef<OsStr>,
        value: B,
        flags: i32,
    ) -> io::Result<Op<SetXattr<B>>> {
        Ok(self.submit(SetXattr {
            path: c_string(path.as_ref().as_os_str())?,
            value: Setting::new(name.as_ref(), value, flags)?,
        }))
    }

    /// Reads an attribute of an open file. Counterpart: `fgetxattr(2)`,
    /// `io_uring_prep_fgetxattr(3)`.
    ///
    /// If the buffer has no room, the count is the length of the attribute.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the name holds a zero byte; the future gives the errors of
    /// [`getxattr`](Self::getxattr).
    pub fn fgetxattr<B: IoBufMut>(
        &self,
        fd: &Fd,
        name: impl AsRef<OsStr>,
        buffer: B,
    ) -> io::Result<Op<FGetXattr<B>>> {
        Ok(self.submit(FGetXattr {
            fd: fd.clone(),
            value: Getting::new(name.as_ref(), buffer)?,
        }))
    }

    /// Sets an attribute of an open file, and gives the buffer back. `flags` are `XATTR_CREATE` and
    /// `XATTR_REPLACE`. Counterpart: `fsetxattr(2)`, `io_uring_prep_fsetxattr(3)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the name holds a zero byte; the future gives the errors of
    /// `fsetxattr(2)`.
    pub fn fsetxattr<B: IoBuf>(
        &self,
        fd: &Fd,
        name: impl AsRef<OsStr>,
        value: B,
        flags: i32,
    ) -> io::Result<Op<FSetXattr<B>>> {
        Ok(self.submit(FSetXattr {
            fd: fd.clone(),
            value: Setting::new(name.as_ref(), value, flags)?,
        }))
    }
}

/// Reads an attribute of the file at a path. Linux 5.19. Counterpart: `io_uring_prep_getxattr(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_getxattr")]
pub struct GetXattr<B> {
    path: CString,
    value: Getting<B>,
}

// SAFETY: as the module says; the path and the name are on the heap.
unsafe impl<B: IoBufMut> Operation for GetXattr<B> {
    type Output = Result<(usize, B), OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "getxattr";

    fn prepare(&mut self) -> Sqe {
        let entry = Sqe::new(io_uring::opcode::GetXattr::CODE, -1);
        Sqe {
            address3: c_address(&self.path),
            ..self.value.describe(entry)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        self.value.complete(cqe)
    }

    fn reclaim(self) -> Self::Leftover {
        self.value.buffer.into_inner()
    }
}

/// Sets an attribute of the file at a path. Linux 5.19. Counterpart: `io_uring_prep_setxattr(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_setxattr")]
pub struct SetXattr<B> {
    path: CString,
    value: Setting<B>,
}

// SAFETY: as the module says; the path and the name are on the heap.
unsafe impl<B: IoBuf> Operation for SetXattr<B> {
    type Output = Result<B, OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "setxattr";

    fn prepare(&mut self) -> Sqe {
        let entry = Sqe::new(io_uring::opcode::SetXattr::CODE, -1);
        Sqe {
            address3: c_address(&self.path),
            ..self.value.describe(entry)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        self.value.complete(cqe)
    }

    fn reclaim(self) -> Self::Leftover {
        self.value.buffer
    }
}

/// Reads an attribute of an open file. Linux 5.19. Counterpart: `io_uring_prep_fgetxattr(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_fgetxattr")]
pub struct FGetXattr<B> {
    fd: Fd,
    value: Getting<B>,
}

// SAFETY: as the module says; the name is on the heap.
unsafe impl<B: IoBufMut> Operation for FGetXattr<B> {
    type Output = Result<(usize, B), OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "fgetxattr";

    fn prepare(&mut self) -> Sqe {
        let entry = Sqe::on(io_uring::opcode::FGetXattr::CODE, &self.fd);
        self.value.describe(entry)
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        self.value.complete(cqe)
    }

    fn reclaim(self) -> Self::Leftover {
        self.value.buffer.into_inner()
    }
}

/// Sets an attribute of an open file. Linux 5.19. Counterpart: `io_uring_prep_fsetxattr(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_fsetxattr")]
pub struct FSetXattr<B> {
    fd: Fd,
    value: Setting<B>,
}

// SAFETY: as the module says; the name is on the heap.
unsafe impl<B: IoBuf> Operation for FSetXattr<B> {
    type Output = Result<B, OpError<B>>;
    type Leftover = B;
    const NAME: &'static str = "fsetxattr";

    fn prepare(&mut self) -> Sqe {
        let entry = Sqe::on(io_uring::opcode::FSetXattr::CODE, &self.fd);
        self.value.describe(entry)
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        self.value.complete(cqe)
    }

    fn reclaim(self) -> Self::Leftover {
        self.value.buffer
    }
}

/// An attribute that is read.
#[derive(Debug)]
struct Getting<B> {
    name: CString,
    buffer: Named<B>,
    /// Whether the kernel is asked for the length only, which it tells without filling anything.
    measures: bool,
}

impl<B: IoBufMut> Getting<B> {
    fn new(name: &OsStr, buffer: B) -> io::Result<Self> {
        Ok(Self {
            name: c_string(name)?,
            buffer: Named::new(buffer),
            measures: false,
        })
    }

    fn describe(&mut self, entry: Sqe) -> Sqe {
        let (start, len) = self.buffer.name();
        self.measures = len == 0;
        value(entry, &self.name, start, len)
    }

    fn complete(self, cqe: Cqe) -> Result<(usize, B), OpError<B>> {
        if self.measures {
            counted(self.buffer.into_inner(), cqe)
        } else {
            self.buffer.finish(cqe)
        }
    }
}

/// An attribute that is set.
#[derive(Debug)]
struct Setting<B> {
    name: CString,
    buffer: B,
    flags: i32,
}

impl<B: IoBuf> Setting<B> {
    fn new(name: &OsStr, buffer: B, flags: i32) -> io::Result<Self> {
        Ok(Self {
            name: c_string(name)?,
            buffer,
            flags,
        })
    }

    fn describe(&self, entry: Sqe) -> Sqe {
        let bytes = self.buffer.as_slice();
        Sqe {
            op_flags: self.flags.cast_unsigned(),
            ..value(entry, &self.name, bytes.as_ptr(), bytes.len())
        }
    }

    fn complete(self, cqe: Cqe) -> Result<B, OpError<B>> {
        match cqe.result() {
            Ok(_) => Ok(self.buffer),
            Err(error) => Err(OpError::new(error, self.buffer)),
        }
    }
}

/// The entry with the name of an attribute, and the memory of its value.
fn value(entry: Sqe, name: &CString, start: *const u8, len: usize) -> Sqe {
    let Sqe { address, len, .. } = entry.memory(start, len);
    Sqe {
        address: c_address(name),
        offset: address,
        len,
        ..entry
    }
}

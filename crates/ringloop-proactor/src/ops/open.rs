//! Opening files.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use super::direct::{ALLOC, new_direct};
use super::new_fd;
use super::place::Place;
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Opens a file with `O_*` flags and permission bits, closed on exec. Counterpart: `open(2)`,
    /// `io_uring_prep_openat(3)`.
    ///
    /// A FIFO that nobody has opened for the other direction is an error (`ENXIO`) or opened all
    /// the same; with `O_CREAT` among the flags the call waits, and holds one of the kernel's
    /// workers until it is cancelled.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the path holds a zero byte; the future gives the errors of `open(2)`.
    pub fn open(&self, path: impl AsRef<Path>, flags: i32, mode: u32) -> io::Result<Op<OpenAt>> {
        self.openat(None, path, flags, mode)
    }

    /// Opens a file, as [`open`](Self::open) does, by a path relative to a directory; `None` is the
    /// working directory. Counterpart: `openat(2)`, `io_uring_prep_openat(3)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the path holds a zero byte or the directory is a direct descriptor; the
    /// future gives the errors of `openat(2)`.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let process = handle.adopt(std::fs::File::open("/proc/self")?);
    /// let open = handle.openat(Some(&process), "comm", libc::O_RDONLY, 0)?;
    /// let name = handle.adopt(proactor.block_on(open)??);
    /// let (count, _) = proactor.block_on(handle.read(&name, vec![0; 64], 0))??;
    /// assert!(count > 0);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn openat(
        &self,
        directory: Option<&Fd>,
        path: impl AsRef<Path>,
        flags: i32,
        mode: u32,
    ) -> io::Result<Op<OpenAt>> {
        Ok(self.submit(OpenAt {
            place: Place::new(directory, path.as_ref(), OpenAt::NAME)?,
            flags: flags | libc::O_CLOEXEC,
            mode,
        }))
    }

    /// Opens a file as a direct descriptor. Counterpart: `io_uring_prep_openat_direct(3)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` as [`openat`](Self::openat), and `EMFILE` if the table of direct descriptors
    /// cannot be made. The future gives the errors of `openat(2)`, and `ENFILE` if the table is full.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let open = handle.openat_direct(None, "/dev/zero", libc::O_RDONLY, 0)?;
    /// let zero = proactor.block_on(open)??;
    /// assert!(zero.is_direct());
    /// let (count, _) = proactor.block_on(handle.read(&zero, [1; 4], 0))??;
    /// assert_eq!(count, 4);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn openat_direct(
        &self,
        directory: Option<&Fd>,
        path: impl AsRef<Path>,
        flags: i32,
        mode: u32,
    ) -> io::Result<Op<OpenAtDirect>> {
        self.shared().direct_table()?;
        Ok(self.submit(OpenAtDirect {
            handle: self.clone(),
            open: OpenAt {
                place: Place::new(directory, path.as_ref(), OpenAtDirect::NAME)?,
                flags: flags & !libc::O_CLOEXEC,
                mode,
            },
        }))
    }

    /// Opens a file, closed on exec, and says how the path may be resolved. Counterpart:
    /// `openat2(2)`, `io_uring_prep_openat2(3)`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` as [`openat`](Self::openat); the future gives the errors of `openat2(2)`:
    /// `EXDEV` if the path leads out of where it has to stay.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::ops::OpenHow;
    /// use ringloop_proactor::{Config, Proactor};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let root = handle.adopt(std::fs::File::open("/proc/self")?);
    /// let how = OpenHow::new(libc::O_RDONLY).resolve(libc::RESOLVE_BENEATH);
    /// let open = handle.openat2(Some(&root), "../version", how)?;
    /// let error = proactor.block_on(open)?.unwrap_err();
    /// assert_eq!(error.raw_os_error(), Some(libc::EXDEV));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn openat2(
        &self,
        directory: Option<&Fd>,
        path: impl AsRef<Path>,
        how: OpenHow,
    ) -> io::Result<Op<OpenAt2>> {
        Ok(self.submit(OpenAt2 {
            place: Place::new(directory, path.as_ref(), OpenAt2::NAME)?,
            how: OpenHow {
                flags: how.flags | CLOEXEC,
                ..how
            },
        }))
    }

    /// Opens a file as a direct descriptor, and says how the path may be resolved. Counterpart:
    /// `io_uring_prep_openat2_direct(3)`.
    ///
    /// # Errors
    ///
    /// As [`openat_direct`](Self::openat_direct) and [`openat2`](Self::openat2).
    pub fn openat2_direct(
        &self,
        directory: Option<&Fd>,
        path: impl AsRef<Path>,
        how: OpenHow,
    ) -> io::Result<Op<OpenAt2Direct>> {
        self.shared().direct_table()?;
        Ok(self.submit(OpenAt2Direct {
            handle: self.clone(),
            open: OpenAt2 {
                place: Place::new(directory, path.as_ref(), OpenAt2Direct::NAME)?,
                how: OpenHow {
                    flags: how.flags & !CLOEXEC,
                    ..how
                },
            },
        }))
    }
}

/// How [`Handle::openat2`] opens a file: `struct open_how` of `openat2(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
#[must_use = "it describes an open and does nothing by itself"]
pub struct OpenHow {
    flags: u64,
    mode: u64,
    resolve: u64,
}

impl OpenHow {
    /// Describes an open with `O_*` flags, and nothing else.
    pub fn new(flags: i32) -> Self {
        Self {
            flags: u64::from(flags.cast_unsigned()),
            mode: 0,
            resolve: 0,
        }
    }

    /// Sets the permission bits of a file that is made. Only with `O_CREAT` or `O_TMPFILE`.
    pub fn mode(self, mode: u32) -> Self {
        Self {
            mode: mode.into(),
            ..self
        }
    }

    /// Sets how the path may be resolved: `RESOLVE_*` flags.
    pub fn resolve(self, resolve: u64) -> Self {
        Self { resolve, ..self }
    }
}

/// Opens a file. Linux 5.6. Counterpart: `io_uring_prep_openat(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_openat")]
pub struct OpenAt {
    place: Place,
    flags: i32,
    mode: u32,
}

// SAFETY: as the module says; the path is on the heap.
unsafe impl Operation for OpenAt {
    type Output = io::Result<OwnedFd>;
    type Leftover = ();
    const NAME: &'static str = "openat";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            address: self.place.address(),
            len: self.mode,
            op_flags: self.flags.cast_unsigned(),
            ..Sqe::new(io_uring::opcode::OpenAt::CODE, self.place.directory())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        new_fd(cqe)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Opens a file as a direct descriptor. Linux 5.15, with slots picked by the kernel 5.19.
/// Counterpart: `io_uring_prep_openat_direct(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_openat_direct")]
pub struct OpenAtDirect {
    handle: Handle,
    open: OpenAt,
}

// SAFETY: as for `OpenAt`.
unsafe impl Operation for OpenAtDirect {
    type Output = io::Result<Fd>;
    type Leftover = ();
    const NAME: &'static str = "openat direct";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            file_index: ALLOC,
            ..self.open.prepare()
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        new_direct(self.handle, cqe)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Opens a file by a path that is resolved with care. Linux 5.6. Counterpart:
/// `io_uring_prep_openat2(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_openat2")]
pub struct OpenAt2 {
    place: Place,
    how: OpenHow,
}

// SAFETY: as the module says; the path is on the heap, and `how` inside the operation, which does
// not move.
unsafe impl Operation for OpenAt2 {
    type Output = io::Result<OwnedFd>;
    type Leftover = ();
    const NAME: &'static str = "openat2";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            address: self.place.address(),
            offset: (&raw const self.how).expose_provenance() as u64,
            len: HOW_BYTES,
            ..Sqe::new(io_uring::opcode::OpenAt2::CODE, self.place.directory())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        new_fd(cqe)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Opens a file as a direct descriptor, by a path that is resolved with care. Linux 5.15, with slots
/// picked by the kernel 5.19. Counterpart: `io_uring_prep_openat2_direct(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_openat2_direct")]
pub struct OpenAt2Direct {
    handle: Handle,
    open: OpenAt2,
}

// SAFETY: as for `OpenAt2`, which is inside this operation.
unsafe impl Operation for OpenAt2Direct {
    type Output = io::Result<Fd>;
    type Leftover = ();
    const NAME: &'static str = "openat2 direct";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            file_index: ALLOC,
            ..self.open.prepare()
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        new_direct(self.handle, cqe)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// `O_CLOEXEC`, which a direct descriptor cannot have: no other program ever sees it.
const CLOEXEC: u64 = libc::O_CLOEXEC as u64;
#[expect(
    clippy::cast_possible_truncation,
    reason = "the struct is a few bytes long"
)]
const HOW_BYTES: u32 = size_of::<OpenHow>() as u32;
const _: () = assert!(size_of::<OpenHow>() == size_of::<libc::open_how>());

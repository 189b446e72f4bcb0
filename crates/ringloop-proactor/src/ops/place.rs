//! Where a file is: a directory to start from, and a path.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::fd::Fd;

/// A path, and the directory that it is relative to. The operation that names it owns it.
#[derive(Debug)]
pub(super) struct Place {
    /// `None`: the working directory of the process, as it is when the kernel runs the request.
    directory: Option<Fd>,
    /// On the heap, so it stays where it is when the operation moves.
    path: CString,
}

impl Place {
    /// Names `path` for the operation `name`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the path holds a zero byte, or if the directory is a direct descriptor.
    pub(super) fn new(directory: Option<&Fd>, path: &Path, name: &str) -> io::Result<Self> {
        if let Some(directory) = directory {
            require_plain(directory, name)?;
        }
        Ok(Self {
            directory: directory.cloned(),
            path: c_string(path.as_os_str())?,
        })
    }

    /// The file behind a plain descriptor itself: for operations with `AT_EMPTY_PATH`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the descriptor is direct.
    pub(super) fn itself(fd: &Fd, name: &str) -> io::Result<Self> {
        Self::new(Some(fd), Path::new(""), name)
    }

    /// The number of the directory.
    pub(super) fn directory(&self) -> i32 {
        let fd = self.directory.as_ref().and_then(Fd::plain);
        fd.map_or(libc::AT_FDCWD, |fd| fd.as_raw_fd())
    }

    /// The address of the path.
    pub(super) fn address(&self) -> u64 {
        c_address(&self.path)
    }
}

/// A string as the kernel reads it.
///
/// # Errors
///
/// `InvalidInput` if it holds a zero byte.
pub(super) fn c_string(string: &OsStr) -> io::Result<CString> {
    Ok(CString::new(string.as_bytes())?)
}

/// The address of a string that the operation owns.
pub(super) fn c_address(string: &CString) -> u64 {
    string.as_ptr().expose_provenance() as u64
}

/// Refuses a direct descriptor where the kernel takes numbers of the process only: the number of
/// its slot would name another file, or none.
///
/// # Errors
///
/// `InvalidInput`, naming the operation.
fn require_plain(fd: &Fd, name: &str) -> io::Result<()> {
    if !fd.is_direct() {
        return Ok(());
    }
    let text = format!("{name} takes no direct descriptor: make a plain one with Handle::install");
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}

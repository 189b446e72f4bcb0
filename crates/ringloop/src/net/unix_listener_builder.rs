//! Listening on unix sockets with options.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::linux::fs::MetadataExt;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

use super::unix_listener::UnixListener;

/// Options of a [`UnixListener`] that is to be, by [`UnixListener::builder`].
///
/// # Examples
///
/// ```no_run
/// use ringloop::net::UnixListener;
///
/// # fn serve() -> std::io::Result<()> {
/// let listener = UnixListener::builder()
///     .replace_stale(true)
///     .remove_on_drop(true)
///     .bind("/run/example.sock")?;
/// # drop(listener);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing listens before it is bound"]
pub struct UnixListenerBuilder {
    backlog: u32,
    replace_stale: bool,
    remove_on_drop: bool,
}

impl UnixListenerBuilder {
    pub(super) fn new() -> Self {
        Self {
            backlog: BACKLOG,
            replace_stale: false,
            remove_on_drop: false,
        }
    }

    /// Sets how many connections may wait in the kernel to be accepted: 1024 unless this says
    /// otherwise, and not more than the system has as its limit.
    pub fn backlog(mut self, connections: u32) -> Self {
        self.backlog = connections;
        self
    }

    /// Sets whether the file of a socket that nobody listens on any more is removed first. It is
    /// not, unless this says so, as with std.
    ///
    /// asyncio removes the file of any socket; this asks whether somebody listens by connecting, so
    /// a server that lives keeps its clients, and sees a connection that ends at once. Two servers
    /// that start at the same time may both find the file stale: then the later one has the path.
    pub fn replace_stale(mut self, replace: bool) -> Self {
        self.replace_stale = replace;
        self
    }

    /// Sets whether dropping the listener removes its file. It does not, unless this says so, as
    /// with std. A file that another socket has taken the place of is left alone.
    pub fn remove_on_drop(mut self, remove: bool) -> Self {
        self.remove_on_drop = remove;
        self
    }

    /// Makes a socket with this path and listens.
    ///
    /// # Errors
    ///
    /// As [`UnixListener::bind`].
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub fn bind(self, path: impl AsRef<Path>) -> io::Result<UnixListener> {
        let path = path.as_ref();
        if self.replace_stale && is_stale(path) {
            fs::remove_file(path)?;
        }
        let mut listener = self.listen(&SocketAddr::from_pathname(path)?)?;
        if self.remove_on_drop {
            listener.remove_on_drop(SocketFile::of(path)?);
        }
        Ok(listener)
    }

    /// Makes a socket with this address, which may be an abstract name, and listens.
    ///
    /// # Errors
    ///
    /// As [`UnixListener::bind`].
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub fn bind_addr(self, address: &SocketAddr) -> io::Result<UnixListener> {
        match address.as_pathname() {
            Some(path) => self.bind(path),
            None => self.listen(address),
        }
    }

    #[track_caller]
    fn listen(&self, address: &SocketAddr) -> io::Result<UnixListener> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&to_socket2(address)?)?;
        socket.listen(i32::try_from(self.backlog).unwrap_or(i32::MAX))?;
        UnixListener::from_std(socket.into())
    }
}

/// The file that a socket was bound to.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and number, which no other file has as long as this one is there.
    identity: (u64, u64),
    stays: bool,
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: std::path::absolute(path)?,
            identity: identity(path)?,
            stays: false,
        })
    }

    /// Leaves the file where it is.
    pub(super) fn keep(mut self) {
        self.stays = true;
    }
}

/// Removes the file, if it is the one that was bound and is not to stay.
impl Drop for SocketFile {
    fn drop(&mut self) {
        if !self.stays && identity(&self.path).is_ok_and(|found| found == self.identity) {
            // It may be gone, or not ours to remove any more: nobody is left to be told.
            drop(fs::remove_file(&self.path));
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = fs::symlink_metadata(path)?;
    Ok((metadata.st_dev(), metadata.st_ino()))
}

/// Whether there is a socket with this path, and nobody listens on it.
fn is_stale(path: &Path) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    is_socket && connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// Never waits: a listener whose queue is full is there, too.
fn connect(path: &Path) -> io::Result<()> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
    socket.connect(&SockAddr::unix(path)?)
}

fn to_socket2(address: &SocketAddr) -> io::Result<SockAddr> {
    match (address.as_pathname(), address.as_abstract_name()) {
        (Some(path), _) => SockAddr::unix(path),
        // A zero byte in front is what makes the name an abstract one.
        (None, Some(name)) => SockAddr::unix(OsStr::from_bytes(&[b"\0", name].concat())),
        (None, None) => SockAddr::unix(""),
    }
}

const BACKLOG: u32 = 1024;

//! Who is at the other end of a unix socket.

use std::io;
use std::os::fd::AsRawFd;

use crate::fd::Fd;

/// Process, user and group of the peer of a unix socket, as they were when it connected, listened
/// or made the pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[doc(alias("ucred", "SO_PEERCRED"))]
pub struct Credentials {
    /// The process. Its number may be that of another one by now.
    pub pid: i32,
    /// The effective user.
    pub uid: u32,
    /// The effective group.
    pub gid: u32,
}

impl Fd {
    /// Returns who is at the other end of a unix socket. Counterpart: `SO_PEERCRED` of `unix(7)`.
    ///
    /// # Errors
    ///
    /// As `getsockopt(2)`; `InvalidInput` for a direct descriptor, which that call does not take.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    ///
    /// let proactor = Proactor::new(&Config::default())?;
    /// let (near, _far) = std::os::unix::net::UnixStream::pair()?;
    /// let near = proactor.handle().adopt(near);
    /// assert_eq!(near.peer_credentials()?.pid, std::process::id().cast_signed());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn peer_credentials(&self) -> io::Result<Credentials> {
        let Some(fd) = self.plain() else {
            let text = "a direct descriptor cannot be asked for its peer";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        };
        let mut peer = libc::ucred {
            pid: 0,
            uid: 0,
            gid: 0,
        };
        let mut len = LEN;
        // SAFETY: the two places are valid for writes, the first one for as many bytes as the
        // second one says, and any bytes are numbers.
        let result = unsafe {
            libc::getsockopt(
                fd.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERCRED,
                (&raw mut peer).cast(),
                &raw mut len,
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Credentials {
            pid: peer.pid,
            uid: peer.uid,
            gid: peer.gid,
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it is twelve")]
const LEN: libc::socklen_t = size_of::<libc::ucred>() as libc::socklen_t;

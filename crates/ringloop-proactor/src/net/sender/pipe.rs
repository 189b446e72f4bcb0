//! The pipe through which a file is sent.

use std::io;
use std::os::fd::AsRawFd;

use crate::fd::Fd;
use crate::handle::Handle;

/// A pipe between a file and a stream: [`Handle::splice`] fills it,
/// [`Sender::poll_write_pipe`](super::Sender::poll_write_pipe) empties it.
#[derive(Debug)]
pub struct SendPipe {
    reader: Fd,
    writer: Fd,
    capacity: usize,
}

impl SendPipe {
    /// Makes an empty pipe, of 256 KiB if the system allows.
    ///
    /// # Errors
    ///
    /// As `pipe2(2)`.
    pub fn new(handle: &Handle) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let raw = writer.as_raw_fd();
        // SAFETY: the call is about no memory, and the descriptor is open.
        let mut len = unsafe { libc::fcntl(raw, libc::F_SETPIPE_SZ, CAPACITY_BYTES) };
        if len < 0 {
            // All that a user may have in pipes is used up.
            // SAFETY: as above.
            len = unsafe { libc::fcntl(raw, libc::F_GETPIPE_SZ) };
        }
        Ok(Self {
            reader: handle.adopt(reader),
            writer: handle.adopt(writer),
            capacity: usize::try_from(len).unwrap_or(PAGE_BYTES),
        })
    }

    /// Returns how many bytes it holds at most.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns the end to fill.
    #[must_use]
    pub fn writer(&self) -> &Fd {
        &self.writer
    }

    pub(super) fn reader(&self) -> &Fd {
        &self.reader
    }
}

/// Four times the default; a user without privileges may have some 250 of that size.
const CAPACITY_BYTES: libc::c_int = 256 * 1024;
const PAGE_BYTES: usize = 4096;

//! Closing a descriptor, with the result for whoever asked.

use std::io;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::task::Waker;

use ringloop_core::Setter;

use crate::op::{Flow, RETIRED, Service};
use crate::ring::{Cqe, Sqe};

/// Closes a descriptor that has no other user. Counterpart: `io_uring_prep_close(3)`.
#[derive(Debug)]
pub(crate) struct CloseService {
    fd: Option<OwnedFd>,
    done: Vec<Setter<io::Result<()>>>,
    result: io::Result<()>,
}

impl CloseService {
    pub(crate) fn new(fd: OwnedFd, done: Vec<Setter<io::Result<()>>>) -> Self {
        Self {
            fd: Some(fd),
            done,
            result: Ok(()),
        }
    }
}

// SAFETY: the entry names no memory; the descriptor is its own until the kernel has closed it.
unsafe impl Service for CloseService {
    fn prepare(&mut self, sqe: &mut Sqe) {
        let fd = self.fd.as_ref().map_or(-1, AsRawFd::as_raw_fd);
        *sqe = Sqe::new(io_uring::opcode::Close::CODE, fd);
    }

    fn on_completion(&mut self, cqe: Cqe, _wakes: &mut Vec<Waker>) -> Flow {
        // Of a close that was begun, the kernel has given the number away, whatever else it says.
        let never_began = [-libc::ECANCELED, -RETIRED].contains(&cqe.res);
        if !never_began {
            self.fd.take().map(IntoRawFd::into_raw_fd);
            self.result = cqe.result().map(drop);
        }
        Flow::Rest
    }
}

/// The result is handed over when the service leaves the table: that may run a waker.
impl Drop for CloseService {
    fn drop(&mut self) {
        drop(self.fd.take());
        let errno = self.result.as_ref().err().and_then(io::Error::raw_os_error);
        for done in self.done.drain(..) {
            drop(done.set(errno.map_or(Ok(()), |errno| Err(io::Error::from_raw_os_error(errno)))));
        }
    }
}

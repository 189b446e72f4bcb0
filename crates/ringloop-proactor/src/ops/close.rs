//! Closing a descriptor, with the result for whoever asked.

use std::io;
use std::os::fd::{AsRawFd, IntoRawFd};

use ringloop_core::Setter;

use crate::fd::Descriptor;
use crate::op::{Flow, RETIRED, Service};
use crate::ring::{Cqe, Sqe};
use crate::wakes::Wakes;

/// Closes a descriptor that has no other user. Counterpart: `io_uring_prep_close(3)`.
#[derive(Debug)]
pub(crate) struct CloseService {
    descriptor: Option<Descriptor>,
    done: Vec<Setter<io::Result<()>>>,
    result: io::Result<()>,
}

impl CloseService {
    pub(crate) fn new(descriptor: Descriptor, done: Vec<Setter<io::Result<()>>>) -> Self {
        Self {
            descriptor: Some(descriptor),
            done,
            result: Ok(()),
        }
    }
}

// SAFETY: the entry names no memory; the descriptor is its own until the kernel has closed it.
unsafe impl Service for CloseService {
    const NAME: &'static str = "close";

    fn prepare(&mut self, sqe: &mut Sqe) {
        let (fd, file_index) = match &self.descriptor {
            Some(Descriptor::Plain(fd)) => (fd.as_raw_fd(), 0),
            // Counted from one; zero stands for a plain descriptor.
            Some(Descriptor::Direct(slot)) => (0, slot + 1),
            None => (-1, 0),
        };
        *sqe = Sqe {
            file_index,
            ..Sqe::new(io_uring::opcode::Close::CODE, fd)
        };
    }

    fn on_completion(&mut self, cqe: Cqe, _wakes: &mut Wakes) -> Flow {
        // Of a close that was begun, the kernel has given the number away, whatever else it says.
        let never_began = [-libc::ECANCELED, -RETIRED].contains(&cqe.res);
        if !never_began {
            if let Some(Descriptor::Plain(fd)) = self.descriptor.take() {
                let _closed = fd.into_raw_fd();
            }
            self.result = cqe.result().map(drop);
        }
        Flow::Rest
    }
}

/// The result is handed over when the service leaves the table: that may run a waker.
impl Drop for CloseService {
    fn drop(&mut self) {
        drop(self.descriptor.take());
        if self.done.is_empty() {
            return;
        }
        let errno = self.result.as_ref().err().and_then(io::Error::raw_os_error);
        for done in self.done.drain(..) {
            drop(done.set(errno.map_or(Ok(()), |errno| Err(io::Error::from_raw_os_error(errno)))));
        }
    }
}

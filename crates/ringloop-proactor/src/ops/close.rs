//! Closing a descriptor, with the result for whoever asked.

use std::mem;
use std::os::fd::{AsRawFd, IntoRawFd};

use crate::closers::Closers;
use crate::fd::Descriptor;
use crate::op::{Flow, RETIRED, Service};
use crate::ring::{Cqe, Sqe};
use crate::wakes::Wakes;

/// Closes a descriptor that has no other user. Counterpart: `io_uring_prep_close(3)`.
#[derive(Debug)]
pub(crate) struct CloseService {
    progress: Progress,
    done: Closers,
}

#[derive(Debug)]
enum Progress {
    Open(Descriptor),
    /// The kernel has closed it, and said zero or an errno.
    Closed(i32),
}

impl CloseService {
    pub(crate) fn new(descriptor: Descriptor, done: Closers) -> Self {
        Self {
            progress: Progress::Open(descriptor),
            done,
        }
    }
}

// SAFETY: the entry names no memory; the descriptor is its own until the kernel has closed it.
unsafe impl Service for CloseService {
    const NAME: &'static str = "close";

    fn prepare(&mut self, sqe: &mut Sqe) {
        let (fd, file_index) = match &self.progress {
            Progress::Open(Descriptor::Plain(fd)) => (fd.as_raw_fd(), 0),
            // Counted from one; zero stands for a plain descriptor.
            Progress::Open(Descriptor::Direct(slot)) => (0, slot + 1),
            Progress::Closed(_) => (-1, 0),
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
            let closed = Progress::Closed(cqe.errno());
            if let Progress::Open(Descriptor::Plain(fd)) = mem::replace(&mut self.progress, closed)
            {
                let _closed = fd.into_raw_fd();
            }
        }
        Flow::Rest
    }
}

/// The result is handed over when the service leaves the table: that may run a waker.
impl Drop for CloseService {
    fn drop(&mut self) {
        // What the kernel was never asked to close is closed here.
        let errno = match mem::replace(&mut self.progress, Progress::Closed(0)) {
            Progress::Open(_) => 0,
            Progress::Closed(errno) => errno,
        };
        mem::take(&mut self.done).tell(errno);
    }
}

const _: () = assert!(
    size_of::<CloseService>() <= 16,
    "it has room in the slot of a service"
);

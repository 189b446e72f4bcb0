//! Waiting for a descriptor to be ready.

use std::io;
use std::os::fd::AsRawFd;

use crate::fd::Fd;
use crate::op::Operation;
use crate::ring::{Cqe, Sqe};

/// Waits until a descriptor is ready for some of `events`. Counterpart:
/// `io_uring_prep_poll_add(3)`, `loop.add_reader` of asyncio.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_poll_add")]
pub struct PollAdd {
    fd: Fd,
    events: u32,
}

impl PollAdd {
    pub(crate) fn new(fd: Fd, events: u32) -> Self {
        Self { fd, events }
    }
}

// SAFETY: as the module says.
unsafe impl Operation for PollAdd {
    /// The events that are ready, as in `poll(2)`.
    type Output = io::Result<u32>;

    fn prepare(&mut self) -> Sqe {
        Sqe {
            op_flags: self.events,
            ..Sqe::new(io_uring::opcode::PollAdd::CODE, self.fd.as_raw_fd())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result()
    }
}

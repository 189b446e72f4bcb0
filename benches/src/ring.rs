//! A bare io_uring: the kernel's queues with nothing on top.
//!
//! The floor of every comparison and the load client run on it. It has the same setup flags as
//! ringloop's ring and the same inlined system call, but no futures, no op table, no wakers.
//!
//! # Invariants
//!
//! - I1: memory that an operation may touch is a [`Span`], and no span's memory is ever freed. An
//!   operation may therefore outlive everything here, whatever the caller forgets.
//! - I2: arguments of an enter that the kernel reads by address live until the enter returns.

#![expect(unsafe_code, reason = "submits to the kernel")]

mod buffers;
mod enter;
mod memory;
mod submissions;

use std::fmt;
use std::io;
use std::os::fd::AsRawFd;

use io_uring::{IoUring, cqueue};

pub use buffers::Buffers;
pub use memory::Span;
pub use submissions::{ADDRESS_LEN, HEADER_LEN, Submissions};

use enter::Door;

/// A ring that belongs to the thread that made it.
pub struct Ring {
    queues: IoUring,
    door: Door,
}

/// What the kernel has answered: one pass over the completion queue.
pub type Completions<'r> = cqueue::CompletionQueue<'r>;

impl Ring {
    /// Sets up a ring with `entries` submission and `completions` completion entries.
    ///
    /// # Errors
    ///
    /// As `io_uring_setup(2)`; `EINVAL` on kernels before 6.6, which lack `NO_SQARRAY`.
    pub fn new(entries: u32, completions: u32) -> io::Result<Self> {
        let queues = IoUring::builder()
            .setup_clamp()
            .setup_cqsize(completions)
            .setup_submit_all()
            .setup_single_issuer()
            .setup_defer_taskrun()
            .setup_taskrun_flag()
            .setup_no_sqarray()
            .build(entries)?;
        let door = Door::open(queues.as_raw_fd());
        Ok(Self { queues, door })
    }

    /// Sets up a ring of the same size without any of the flags that make it faster.
    ///
    /// # Errors
    ///
    /// As `io_uring_setup(2)`.
    pub fn without_flags(entries: u32, completions: u32) -> io::Result<Self> {
        let mut builder = IoUring::builder();
        let queues = builder.setup_clamp().setup_cqsize(completions);
        let queues = queues.build(entries)?;
        let door = Door::open(queues.as_raw_fd());
        Ok(Self { queues, door })
    }

    /// Returns the two ends: one to submit and wait with, one to read completions from.
    pub fn split(&mut self) -> (Submissions<'_>, Completions<'_>) {
        let (_, submissions, completions) = self.queues.split();
        (Submissions::new(submissions, &self.door), completions)
    }

    /// Registers a ring of `count` provided buffers of `len` bytes as buffer group `group`.
    ///
    /// # Errors
    ///
    /// As `io_uring_register(2)`, `IORING_REGISTER_PBUF_RING`.
    ///
    /// # Panics
    ///
    /// If `count` is not a power of two.
    pub fn provide_buffers(&mut self, group: u16, count: u16, len: u32) -> io::Result<Buffers> {
        assert!(count.is_power_of_two(), "the kernel wants a power of two");
        let buffers = Buffers::new(group, count, len);
        // SAFETY: I1: the memory of the buffer ring and of its buffers is never freed.
        unsafe {
            let submitter = self.queues.submitter();
            submitter.register_buf_ring_with_flags(buffers.address(), count, group, 0)?;
        }
        Ok(buffers)
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        self.door.close(self.queues.as_raw_fd());
    }
}

impl fmt::Debug for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("door", &self.door)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

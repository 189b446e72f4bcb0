//! Ending many operations at once.
//!
//! One operation is ended by [`Op::cancel`](crate::Op::cancel), which names it and costs the kernel a
//! look into a table. These look at every request of the ring.

use std::io;

use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, FIXED_FILE, Sqe};

impl Handle {
    /// Asks the kernel to end everything that is in flight on the file or socket behind `fd`, and
    /// tells how many requests it found. Counterpart: `io_uring_prep_cancel_fd(3)`.
    ///
    /// It reaches what was polled before this was: the operations tell themselves what became of
    /// them, most of them with `ECANCELED`. Other descriptors of the same open file count as well.
    /// A chain ends with the operation of it that is under way. [`OpStream`](crate::OpStream)s and
    /// the resources ([`Receiver`](crate::Receiver), …) lose nothing, and begin again when they are
    /// asked for more: end those by dropping them.
    ///
    /// It takes time in proportion to all that is in flight, for each request that it finds. To end
    /// few operations among thousands, cancel each.
    ///
    /// # Cancel safety
    ///
    /// Dropped after it was submitted, it asks all the same.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    /// use ringloop_core::future::join;
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let (reader, _writer) = std::io::pipe()?;
    /// let reader = handle.adopt(reader);
    /// let read = handle.read(&reader, vec![0; 100], u64::MAX);
    /// let (read, found) = proactor.block_on(join(read, handle.cancel_fd(&reader)))?;
    /// assert_eq!(found?, 1);
    /// assert_eq!(read.unwrap_err().error.raw_os_error(), Some(libc::ECANCELED));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn cancel_fd(&self, fd: &Fd) -> Op<CancelFd> {
        self.submit(CancelFd { fd: fd.clone() })
    }

    /// Asks the kernel to end everything that is in flight on this proactor, and tells how many
    /// requests it found, one or two of the proactor's own among them. Counterpart:
    /// `io_uring_prep_cancel(3)` with `IORING_ASYNC_CANCEL_ANY`.
    ///
    /// What it reaches, and what not, is as for [`cancel_fd`](Self::cancel_fd). Operations that are
    /// started later are not concerned.
    ///
    /// # Cancel safety
    ///
    /// Dropped after it was submitted, it asks all the same.
    pub fn cancel_all(&self) -> Op<CancelAll> {
        self.submit(CancelAll(()))
    }
}

/// Ends everything on a descriptor. Linux 5.19. Counterpart: `io_uring_prep_cancel_fd(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_cancel_fd")]
pub struct CancelFd {
    fd: Fd,
}

// SAFETY: as the module says.
unsafe impl Operation for CancelFd {
    /// How many requests were found.
    type Output = io::Result<u32>;
    type Leftover = ();
    const NAME: &'static str = "cancel fd";

    fn prepare(&mut self) -> Sqe {
        let sqe = Sqe::on(io_uring::opcode::AsyncCancel::CODE, &self.fd);
        let fixed = match sqe.flags & FIXED_FILE {
            0 => 0,
            _ => CANCEL_FD_FIXED,
        };
        Sqe {
            op_flags: CANCEL_ALL | CANCEL_FD | fixed,
            ..sqe
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result()
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Ends everything. Linux 5.19. Counterpart: `io_uring_prep_cancel(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_cancel")]
pub struct CancelAll(());

// SAFETY: the entry names no memory and no descriptor.
unsafe impl Operation for CancelAll {
    /// How many requests were found.
    type Output = io::Result<u32>;
    type Leftover = ();
    const NAME: &'static str = "cancel all";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            op_flags: CANCEL_ALL | CANCEL_ANY,
            ..Sqe::new(io_uring::opcode::AsyncCancel::CODE, -1)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result()
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// `IORING_ASYNC_CANCEL_*`.
pub(crate) const CANCEL_ALL: u32 = 1 << 0;
const CANCEL_FD: u32 = 1 << 1;
pub(crate) const CANCEL_ANY: u32 = 1 << 2;
const CANCEL_FD_FIXED: u32 = 1 << 3;

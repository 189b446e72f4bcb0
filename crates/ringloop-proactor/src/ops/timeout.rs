//! Timeouts that the kernel keeps.

use std::time::Duration;

use crate::op::Operation;
use crate::ring::{Cqe, Sqe};

/// Ends the operation before it in a chain when it takes too long. Linux 5.5. Counterpart:
/// `io_uring_prep_link_timeout(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_link_timeout")]
pub struct LinkTimeout {
    timespec: Timespec,
}

/// Whether a timeout came before what it guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "either the operation or the clock is first"
)]
pub enum Expiry {
    /// The operation was first.
    InTime,
    /// The time was up, and the operation was asked to end.
    Expired,
}

impl LinkTimeout {
    pub(crate) fn new(duration: Duration) -> Self {
        Self {
            timespec: Timespec::new(duration),
        }
    }
}

// SAFETY: as the module says; the time is inside the operation, which does not move.
unsafe impl Operation for LinkTimeout {
    type Output = Expiry;
    type Leftover = ();
    const NAME: &'static str = "link timeout";

    fn prepare(&mut self) -> Sqe {
        Sqe::new(io_uring::opcode::LinkTimeout::CODE, -1).timespec(&self.timespec)
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        if cqe.errno() == libc::ETIME {
            Expiry::Expired
        } else {
            Expiry::InTime
        }
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// `struct __kernel_timespec`.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

impl Timespec {
    /// What is too long for the kernel's type is as good as for ever.
    pub(super) fn new(duration: Duration) -> Self {
        Self {
            seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: duration.subsec_nanos().into(),
        }
    }
}

impl Sqe {
    /// The entry with one time as its memory.
    pub(super) fn timespec(self, time: &Timespec) -> Self {
        Self {
            address: std::ptr::from_ref(time).expose_provenance() as u64,
            len: 1,
            ..self
        }
    }
}

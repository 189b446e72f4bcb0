//! An operation that does nothing.

use std::io;

use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Makes a trip through the ring and back. Counterpart: `io_uring_prep_nop(3)`.
    #[inline]
    pub fn nop(&self) -> Op<Nop> {
        self.submit(Nop(()))
    }
}

/// A trip through the ring and back. Linux 5.1. Counterpart: `io_uring_prep_nop(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_nop")]
pub struct Nop(());

// SAFETY: the entry names no memory and no descriptor.
unsafe impl Operation for Nop {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "nop";

    fn prepare(&mut self) -> Sqe {
        Sqe::new(io_uring::opcode::Nop::CODE, -1)
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

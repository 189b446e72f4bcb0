//! An operation that does nothing.

use std::io;

use crate::op::Operation;
use crate::ring::{Cqe, Sqe};

/// A trip through the ring and back. Counterpart: `io_uring_prep_nop(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_nop")]
pub struct Nop(());

impl Nop {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

// SAFETY: the entry names no memory and no descriptor.
unsafe impl Operation for Nop {
    type Output = io::Result<()>;

    fn prepare(&mut self) -> Sqe {
        Sqe::new(io_uring::opcode::Nop::CODE, -1)
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }
}

//! The operation that compio's driver does not have, in the way in which it has others.
//!
//! # Invariants
//!
//! - I1: a nop names no memory, so its entry is valid at any time.

#![expect(unsafe_code, reason = "operations are an unsafe trait there")]

use compio_driver::{OpCode, OpEntry};

/// Does nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nop;

// SAFETY: I1.
unsafe impl OpCode for Nop {
    type Control = ();

    fn create_entry(&mut self, (): &mut ()) -> OpEntry {
        OpEntry::Submission(io_uring::opcode::Nop::new().build())
    }
}

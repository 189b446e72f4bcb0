//! The catalog of operations: one struct each, named after the liburing function.
//!
//! They are made by the methods of [`Handle`](crate::Handle) and [`Fd`](crate::Fd) and awaited as
//! [`Op`](crate::Op)s. Adding an operation touches one file here and one method there.
//!
//! # Invariants
//!
//! Every `unsafe impl` here keeps the contract of [`Operation`](crate::Operation) in the same
//! way: the entry names only memory that the struct owns (a buffer, a boxed address, a path) and
//! the descriptor of a counted [`Fd`](crate::Fd) that it holds.

#![expect(
    unsafe_code,
    reason = "each operation vouches for the memory that its entry names"
)]

mod close;
mod file;
mod nop;
mod poll;
mod socket;
mod stream;

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use crate::ring::Cqe;

pub(crate) use close::CloseService;
pub use file::{OpenAt, Read, Write};
pub use nop::Nop;
pub use poll::PollAdd;
pub use socket::{Accept, Connect, Socket};
pub use stream::{Recv, Send};

/// The descriptor that a completion brings.
pub(crate) fn new_fd(cqe: Cqe) -> std::io::Result<OwnedFd> {
    let raw = cqe.result()?;
    let raw = RawFd::try_from(raw).expect("a descriptor is a small number");
    // SAFETY: the kernel has just opened it for this request, nobody else knows the number.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

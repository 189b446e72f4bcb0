//! The catalog of operations: one struct each, named after the liburing function.
//!
//! They are made by methods of [`Handle`](crate::Handle), which stand beside them in the source, and
//! awaited as [`Op`](crate::Op)s; those that answer many times are [`OpStream`](crate::OpStream)s.
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

mod address;
mod advice;
mod close;
mod direct;
mod file;
mod fixed;
mod message;
mod no_signal;
mod nop;
mod offset;
mod open;
mod path;
mod pipe;
mod place;
mod poll;
mod provided;
mod socket;
mod space;
mod stat;
mod stream;
mod sync;
mod timeout;
mod vectored;
mod xattr;

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use crate::ring::Cqe;

pub use advice::{FAdvise, MAdvise, MemoryAdvice};
pub(crate) use close::CloseService;
pub use direct::{AcceptDirect, FilesUpdate, FixedFdInstall};
pub use file::{Read, ReadWith, Write, WriteWith};
pub use fixed::{ReadFixed, WriteFixed};
pub use message::{SendDescriptor, SendMessage};
pub use nop::Nop;
pub use open::{OpenAt, OpenAt2, OpenAt2Direct, OpenAtDirect, OpenHow};
pub use path::{LinkAt, MkDirAt, RenameAt, SymlinkAt, UnlinkAt};
pub use pipe::{Pipe, PipeDirect, Splice, Tee};
pub(crate) use poll::POLL_ADD_MULTI;
pub use poll::{PollAdd, PollMultishot};
pub use provided::{ReadMultishot, ReadProvided, RecvBundle, RecvMultishot, RecvProvided};
pub(crate) use socket::ACCEPT_MULTISHOT;
pub use socket::{Accept, AcceptMultishot, Connect, Socket};
pub use space::{Fallocate, Ftruncate};
pub use stat::{Stat, Statx};
pub use stream::{Recv, Send};
pub use sync::{Fsync, SyncFileRange};
pub use timeout::{Expiry, LinkTimeout};
pub use vectored::{ReadV, WriteV};
pub use xattr::{FGetXattr, FSetXattr, GetXattr, SetXattr};

/// The descriptor that a completion brings.
pub(crate) fn new_fd(cqe: Cqe) -> std::io::Result<OwnedFd> {
    let raw = cqe.result()?;
    let raw = RawFd::try_from(raw).expect("a descriptor is a small number");
    // SAFETY: the kernel has just opened it for this request, nobody else knows the number.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

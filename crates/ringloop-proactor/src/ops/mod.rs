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

mod accept;
pub(crate) mod address;
mod advice;
pub(crate) mod ancillary;
mod cancel;
mod close;
mod connect;
pub(crate) mod datagram;
mod datagram_stream;
mod direct;
mod epoll;
mod file;
mod fixed;
mod futex;
pub(crate) mod header;
mod message;
mod no_signal;
mod nop;
mod offset;
mod open;
mod option;
mod path;
mod pipe;
mod place;
mod poll;
mod process;
mod provided;
mod socket;
pub(crate) mod socket_option;
mod space;
mod stat;
pub(crate) mod stream;
mod sync;
mod timeout;
mod vectored;
mod xattr;
pub(crate) mod zero_copy;

use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use crate::ring::Cqe;

pub(crate) use accept::ACCEPT_MULTISHOT;
pub use accept::{Accept, AcceptDirect, AcceptFrom, AcceptMultishot, AcceptMultishotDirect};
pub use advice::{FAdvise, MAdvise, MemoryAdvice};
pub(crate) use cancel::{CANCEL_ALL, CANCEL_ANY};
pub use cancel::{CancelAll, CancelFd};
pub(crate) use close::CloseService;
pub use connect::Connect;
pub use datagram::{RecvMsg, SendMsg};
pub use datagram_stream::RecvMsgMultishot;
pub use direct::{FilesUpdate, FixedFdInstall};
pub use epoll::{EpollChange, EpollCtl, EpollEvent, EpollWait};
pub use file::{Read, ReadWith, Write, WriteWith};
pub use fixed::{ReadFixed, WriteFixed};
pub use futex::{FutexWait, FutexWaitV, FutexWake};
pub use message::{SendDescriptor, SendMessage};
pub use nop::{Nop, NopWithResult};
pub use open::{OpenAt, OpenAt2, OpenAt2Direct, OpenAtDirect, OpenHow};
pub use option::{GetSockOpt, QueueLen, SetSockOpt};
pub use path::{LinkAt, MkDirAt, RenameAt, SymlinkAt, UnlinkAt};
pub use pipe::{Pipe, PipeDirect, Splice, Tee};
pub(crate) use poll::POLL_ADD_MULTI;
pub use poll::{PollAdd, PollMultishot, PollUpdate};
pub use process::{WaitId, WaitTarget, Waited};
pub use provided::{ReadMultishot, ReadProvided, RecvBundle, RecvMultishot, RecvProvided};
pub use socket::{Bind, Listen, Shutdown, Socket, SocketDirect};
pub use socket_option::OptionValue;
pub use space::{Fallocate, Ftruncate};
pub use stat::{Stat, Statx};
pub use stream::{Recv, Send, SendTo};
pub use sync::{Fsync, SyncFileRange};
pub use timeout::{Expiry, LinkTimeout, Timeout, TimeoutMultishot};
pub use vectored::{ReadV, WriteV};
pub use xattr::{FGetXattr, FSetXattr, GetXattr, SetXattr};
pub use zero_copy::{SendMsgZc, SendZc, SendZcFixed};

/// The descriptor that a completion brings.
pub(crate) fn new_fd(cqe: Cqe) -> std::io::Result<OwnedFd> {
    let raw = cqe.result()?;
    let raw = RawFd::try_from(raw).expect("a descriptor is a small number");
    // SAFETY: the kernel has just opened it for this request, nobody else knows the number.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

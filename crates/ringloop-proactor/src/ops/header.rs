//! The message header: where the parts of a message are that goes through a socket.

use crate::ring::Sqe;

/// `struct msghdr` as the kernel has it.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct MsgHeader {
    pub(crate) name: usize,
    /// Of the name; after a receive, of the one that the kernel wrote.
    pub(crate) name_len: u32,
    pub(crate) buffers: usize,
    pub(crate) buffers_count: usize,
    pub(crate) control: usize,
    /// Of the control data; after a receive, of what the kernel wrote.
    pub(crate) control_len: usize,
    /// After a receive, `MSG_TRUNC`, `MSG_CTRUNC` and others.
    pub(crate) flags: i32,
}

impl MsgHeader {
    /// Names the header in an entry. It is at the address where it stays.
    pub(crate) fn named_in(&mut self, sqe: Sqe) -> Sqe {
        Sqe {
            address: std::ptr::from_mut(self).expose_provenance() as u64,
            len: 1,
            ..sqe
        }
    }
}

const _: () = assert!(
    size_of::<MsgHeader>() == size_of::<libc::msghdr>()
        && std::mem::offset_of!(MsgHeader, flags) == std::mem::offset_of!(libc::msghdr, msg_flags)
        && std::mem::offset_of!(MsgHeader, control)
            == std::mem::offset_of!(libc::msghdr, msg_control),
    "the header is laid out like the C library's"
);

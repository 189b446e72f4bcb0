//! A ring that the kernel lets do less than it can.
//!
//! It is made disabled, told once what it may do, and enabled: there is no way back. What the kernel
//! does not know cannot be allowed, so it is asked first.

use std::io;

use io_uring::Submitter;
use io_uring::opcode::{
    Accept, AsyncCancel, Bind, Close, Connect, FilesUpdate, LinkTimeout, Listen, MsgRingData, Nop,
    PollAdd, PollRemove, Read, ReadFixed, ReadMulti, Readv, Recv, RecvMsg, Send, SendMsg,
    SendMsgZc, SendZc, Shutdown, Socket, Splice, Tee, Timeout, Write, WriteFixed, Writev,
};
use io_uring::register::Restriction;

use super::opcodes::Opcodes;

/// Restricts a disabled ring to [`NETWORK`], and enables it.
pub(super) fn enable_for_network(submitter: &Submitter<'_>) -> io::Result<()> {
    let known = Opcodes::ask(submitter);
    let operations = NETWORK.into_iter().filter(|opcode| known.has(*opcode));
    let mut allowed: Vec<_> = operations.map(Restriction::sqe_op).collect();
    allowed.extend(REGISTRATIONS.map(Restriction::register_op));
    allowed.push(Restriction::sqe_flags_allowed(ALL_FLAGS));
    submitter.register_restrictions(&mut allowed)?;
    submitter.register_enable_rings()
}

/// Operations on descriptors that the program has (and on a table of them), on sockets, on time. None of them finds a file
/// by its path, changes what a path means, or is a command to a driver.
const NETWORK: [u8; 30] = [
    Accept::CODE,
    AsyncCancel::CODE,
    Bind::CODE,
    Close::CODE,
    Connect::CODE,
    FilesUpdate::CODE,
    LinkTimeout::CODE,
    Listen::CODE,
    MsgRingData::CODE,
    Nop::CODE,
    PollAdd::CODE,
    PollRemove::CODE,
    Read::CODE,
    ReadFixed::CODE,
    ReadMulti::CODE,
    Readv::CODE,
    Recv::CODE,
    RecvMsg::CODE,
    Send::CODE,
    SendMsg::CODE,
    SendMsgZc::CODE,
    SendZc::CODE,
    Shutdown::CODE,
    Socket::CODE,
    Splice::CODE,
    Tee::CODE,
    Timeout::CODE,
    Write::CODE,
    WriteFixed::CODE,
    Writev::CODE,
];

/// What this crate asks of `io_uring_register(2)`: tables of buffers and files and their changes, the
/// probe, the limits of workers, the ring's own descriptor, groups of buffers.
const REGISTRATIONS: [u8; 14] = [1, 2, 3, 6, 8, 13, 14, 15, 16, 19, 20, 21, 22, 23];

/// The flags of entries that this crate uses, links and provided buffers among them.
const ALL_FLAGS: u8 = 0x7f;

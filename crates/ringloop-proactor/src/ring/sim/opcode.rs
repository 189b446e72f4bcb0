//! The operations that a simulated ring interprets.

use io_uring::opcode;

/// `IORING_OP_*`.
pub(super) const NOP: u8 = opcode::Nop::CODE;
pub(super) const READV: u8 = opcode::Readv::CODE;
pub(super) const WRITEV: u8 = opcode::Writev::CODE;
pub(super) const FSYNC: u8 = opcode::Fsync::CODE;
pub(super) const POLL_ADD: u8 = opcode::PollAdd::CODE;
pub(super) const POLL_REMOVE: u8 = opcode::PollRemove::CODE;
pub(super) const SENDMSG: u8 = opcode::SendMsg::CODE;
pub(super) const RECVMSG: u8 = opcode::RecvMsg::CODE;
pub(super) const TIMEOUT: u8 = opcode::Timeout::CODE;
pub(super) const TIMEOUT_REMOVE: u8 = opcode::TimeoutRemove::CODE;
pub(super) const ACCEPT: u8 = opcode::Accept::CODE;
pub(super) const ASYNC_CANCEL: u8 = opcode::AsyncCancel::CODE;
pub(super) const LINK_TIMEOUT: u8 = opcode::LinkTimeout::CODE;
pub(super) const CONNECT: u8 = opcode::Connect::CODE;
pub(super) const FALLOCATE: u8 = opcode::Fallocate::CODE;
pub(super) const OPENAT: u8 = opcode::OpenAt::CODE;
pub(super) const CLOSE: u8 = opcode::Close::CODE;
pub(super) const STATX: u8 = opcode::Statx::CODE;
pub(super) const READ: u8 = opcode::Read::CODE;
pub(super) const WRITE: u8 = opcode::Write::CODE;
pub(super) const SEND: u8 = opcode::Send::CODE;
pub(super) const RECV: u8 = opcode::Recv::CODE;
pub(super) const OPENAT2: u8 = opcode::OpenAt2::CODE;
pub(super) const SHUTDOWN: u8 = opcode::Shutdown::CODE;
pub(super) const RENAMEAT: u8 = opcode::RenameAt::CODE;
pub(super) const UNLINKAT: u8 = opcode::UnlinkAt::CODE;
pub(super) const MKDIRAT: u8 = opcode::MkDirAt::CODE;
pub(super) const SOCKET: u8 = opcode::Socket::CODE;
pub(super) const SEND_ZC: u8 = opcode::SendZc::CODE;
pub(super) const SENDMSG_ZC: u8 = opcode::SendMsgZc::CODE;
pub(super) const FTRUNCATE: u8 = opcode::Ftruncate::CODE;
pub(super) const BIND: u8 = opcode::Bind::CODE;
pub(super) const LISTEN: u8 = opcode::Listen::CODE;
pub(super) const PIPE: u8 = opcode::Pipe::CODE;
pub(super) const READ_FIXED: u8 = opcode::ReadFixed::CODE;
pub(super) const WRITE_FIXED: u8 = opcode::WriteFixed::CODE;
pub(super) const READ_MULTISHOT: u8 = opcode::ReadMulti::CODE;
pub(super) const FILES_UPDATE: u8 = opcode::FilesUpdate::CODE;
pub(super) const FIXED_FD_INSTALL: u8 = opcode::FixedFdInstall::CODE;

/// What an operation is called, and how it runs.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) code: u8,
    pub(super) name: &'static str,
    /// It works on the descriptor in the entry.
    pub(super) has_file: bool,
    /// A worker always runs it, which takes a while, and looks the descriptor up only then.
    pub(super) is_punted: bool,
}

/// How the operation `code` runs; `None` if it is not simulated.
pub(super) fn kind(code: u8) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.code == code)
}

const fn plain(code: u8, name: &'static str) -> Kind {
    Kind {
        code,
        name,
        has_file: false,
        is_punted: false,
    }
}

const fn on_file(code: u8, name: &'static str) -> Kind {
    Kind {
        has_file: true,
        ..plain(code, name)
    }
}

const fn punted(code: u8, name: &'static str) -> Kind {
    Kind {
        is_punted: true,
        ..plain(code, name)
    }
}

const fn punted_on_file(code: u8, name: &'static str) -> Kind {
    Kind {
        has_file: true,
        ..punted(code, name)
    }
}

/// Which operation is punted is the observed behavior of the kernel on ext4.
const KINDS: [Kind; 39] = [
    plain(NOP, "nop"),
    on_file(READV, "readv"),
    on_file(WRITEV, "writev"),
    punted_on_file(FSYNC, "fsync"),
    on_file(POLL_ADD, "poll"),
    plain(POLL_REMOVE, "poll_remove"),
    on_file(SENDMSG, "sendmsg"),
    on_file(RECVMSG, "recvmsg"),
    plain(TIMEOUT, "timeout"),
    plain(TIMEOUT_REMOVE, "timeout_remove"),
    on_file(ACCEPT, "accept"),
    plain(ASYNC_CANCEL, "cancel"),
    plain(LINK_TIMEOUT, "link_timeout"),
    on_file(CONNECT, "connect"),
    punted_on_file(FALLOCATE, "fallocate"),
    plain(OPENAT, "openat"),
    plain(CLOSE, "close"),
    punted(STATX, "statx"),
    on_file(READ, "read"),
    on_file(WRITE, "write"),
    on_file(SEND, "send"),
    on_file(RECV, "recv"),
    plain(OPENAT2, "openat2"),
    punted_on_file(SHUTDOWN, "shutdown"),
    punted(RENAMEAT, "renameat"),
    punted(UNLINKAT, "unlinkat"),
    punted(MKDIRAT, "mkdirat"),
    plain(SOCKET, "socket"),
    on_file(SEND_ZC, "send_zc"),
    on_file(SENDMSG_ZC, "sendmsg_zc"),
    punted_on_file(FTRUNCATE, "ftruncate"),
    on_file(BIND, "bind"),
    on_file(LISTEN, "listen"),
    plain(PIPE, "pipe"),
    on_file(READ_FIXED, "read_fixed"),
    on_file(WRITE_FIXED, "write_fixed"),
    on_file(READ_MULTISHOT, "read_multishot"),
    plain(FILES_UPDATE, "files_update"),
    on_file(FIXED_FD_INSTALL, "fixed_fd_install"),
];

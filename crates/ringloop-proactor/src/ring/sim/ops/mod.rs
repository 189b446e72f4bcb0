//! What the operations do, one attempt at a time.

mod accept;
mod control;
mod direct;
mod files;
mod messages;
mod paths;
mod poll;
mod sockets;
mod transfer;

use super::opcode;
use super::request::Request;
use super::world::World;

/// What an attempt came to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// Nothing can be done now.
    Wait,
    /// Something was done, and perhaps more can be.
    Moved,
    /// A completion that is not the last, if the request may go on.
    Shot { res: i32, flags: u32 },
    /// A zero-copy send has begun: its memory is lent until the notification.
    Lent { res: i32 },
    /// The last completion.
    Done { res: i32, flags: u32 },
}

impl Answer {
    fn done(res: i32) -> Self {
        Self::Done { res, flags: 0 }
    }
}

/// Does as much as can be done now.
pub(super) fn attempt(world: &mut World, request: &mut Request) -> Answer {
    dispatch(world, request).unwrap_or_else(|errno| Answer::done(-errno))
}

fn dispatch(world: &mut World, request: &mut Request) -> Result<Answer, i32> {
    match request.kind.code {
        opcode::NOP => Ok(Answer::done(control::nop(request))),
        opcode::ASYNC_CANCEL => Ok(Answer::done(world.cancel(request))),
        opcode::TIMEOUT => Ok(control::timeout(request)),
        opcode::TIMEOUT_REMOVE => Ok(Answer::done(control::remove_timeout(world, request))),
        opcode::LINK_TIMEOUT => Ok(Answer::done(control::link_timeout(world, request))),
        opcode::POLL_ADD => poll::add(world, request),
        opcode::POLL_REMOVE => Ok(Answer::done(poll::remove(world, request))),
        opcode::CLOSE => sockets::close(world, request),
        opcode::SOCKET => sockets::socket(world, request),
        opcode::BIND => sockets::bind(world, request),
        opcode::LISTEN => sockets::listen(world, request),
        opcode::CONNECT => sockets::connect(world, request),
        opcode::SHUTDOWN => sockets::shut_down(request),
        opcode::ACCEPT => accept::accept(world, request),
        opcode::RECV | opcode::RECVMSG => transfer::recv(world, request),
        opcode::SEND | opcode::SENDMSG | opcode::SEND_ZC | opcode::SENDMSG_ZC => {
            transfer::send(world, request)
        }
        opcode::READ | opcode::READV | opcode::READ_FIXED | opcode::READ_MULTISHOT => {
            files::read(world, request)
        }
        opcode::WRITE | opcode::WRITEV | opcode::WRITE_FIXED => files::write(world, request),
        opcode::FSYNC => files::sync(request),
        opcode::FALLOCATE => files::allocate(world, request),
        opcode::FTRUNCATE => files::truncate(request),
        opcode::OPENAT | opcode::OPENAT2 => paths::open(world, request),
        opcode::STATX => paths::stat(world, request),
        opcode::UNLINKAT => paths::unlink(world, request),
        opcode::RENAMEAT => paths::rename(world, request),
        opcode::MKDIRAT => paths::make_directory(world, request),
        opcode::FILES_UPDATE => direct::update(world, request),
        opcode::FIXED_FD_INSTALL => direct::install(world, request),
        opcode::PIPE => sockets::pipe(world, request),
        _ => Err(libc::EINVAL),
    }
}

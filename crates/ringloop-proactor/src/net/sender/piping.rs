//! The move from a pipe into the socket, and the wait for room in between.
//!
//! The kernel moves in a thread of its own, which would wait as long as the socket is full, and there
//! are only so many of them: peers that read nothing could hold them all. So a full socket refuses the
//! move, and the ring polls until there is room, which costs no thread. A socket refuses if it does
//! not block, so that is what it does while the move is in flight, and only then.

use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::ending::known_to_the_process;
use crate::fd::Fd;
use crate::op::RETIRED;
use crate::ring::{Cqe, RW_BYTES_MAX, Sqe};

/// What is under way for the pipe in front of a line.
#[derive(Default)]
pub(super) struct Piping {
    /// The socket was full: the next entry waits for room.
    is_full: bool,
    /// The entry in flight waits for room.
    is_polling: bool,
    /// The socket has to block again after the move.
    blocks: bool,
}

impl Piping {
    /// Describes the move of `len` bytes, or the wait for room.
    pub(super) fn prepare(&mut self, sqe: &mut Sqe, socket: &Fd, pipe: i32, len: usize) {
        self.is_polling = self.is_full;
        if self.is_full {
            sqe.opcode = io_uring::opcode::PollAdd::CODE;
            sqe.op_flags = u32::from(libc::POLLOUT.cast_unsigned());
            return;
        }
        if let Some(socket) = known_to_the_process(socket) {
            self.blocks |= set_blocking(socket, false);
        }
        sqe.opcode = io_uring::opcode::Splice::CODE;
        sqe.file_index = pipe.cast_unsigned();
        // Neither has a position.
        sqe.address = u64::MAX;
        sqe.offset = u64::MAX;
        sqe.len = u32::try_from(len).unwrap_or(RW_BYTES_MAX);
        sqe.op_flags = 0;
    }

    /// What the kernel said of the move of `len` bytes that has ended. `None`: that was the wait.
    pub(super) fn landed(&mut self, cqe: Cqe, socket: &Fd, len: usize) -> Option<i32> {
        if mem::take(&mut self.blocks)
            && let Some(socket) = known_to_the_process(socket)
        {
            set_blocking(socket, true);
        }
        if mem::take(&mut self.is_polling) && cqe.errno() != RETIRED {
            self.is_full = false;
            return None;
        }
        let is_short = usize::try_from(cqe.res).is_ok_and(|count| count < len);
        self.is_full = is_short || cqe.errno() == libc::EAGAIN;
        Some(cqe.res)
    }
}

/// Returns whether that changed anything.
fn set_blocking(socket: BorrowedFd<'_>, blocks: bool) -> bool {
    // SAFETY: the call is about no memory, and the descriptor is open.
    let flags = unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_GETFL) };
    let wanted = if blocks {
        flags & !libc::O_NONBLOCK
    } else {
        flags | libc::O_NONBLOCK
    };
    // SAFETY: as above.
    flags >= 0
        && wanted != flags
        && unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_SETFL, wanted) } == 0
}

//! The service: one send after the other until everything is sent.

use std::rc::Rc;

use super::State;
use super::ending::Ending;
use super::outbox::Outbox;
use crate::fd::Fd;
use crate::op::{Flow, RETIRED, Service};
use crate::ring::{Cqe, Sqe};
use crate::wakes::Wakes;

/// Counterparts: `io_uring_prep_send(3)`, `io_uring_prep_sendmsg(3)` and
/// `io_uring_prep_send_zc(3)`, until everything is sent; then perhaps
/// `io_uring_prep_shutdown(3)`.
pub(super) struct SendAll {
    pub(super) state: Rc<State>,
}

// SAFETY: N1, the entry names the counted descriptor and the heap memory of `sending`, or of the
// first segments in line, their array and its header, which is in a box. All that is changed only
// when no send is in flight, as `in_flight` and the line know. An owned buffer is where it stays
// (N2), until the last completion, which for a send without a copy is its notification.
unsafe impl Service for SendAll {
    const NAME: &'static str = "send";

    #[inline]
    fn prepare(&mut self, sqe: &mut Sqe) {
        let outbox = &mut *self.state.outbox.borrow_mut();
        let target = self.state.fd.target();
        sqe.fd = target.number;
        sqe.flags |= target.flags;
        outbox.in_flight = true;
        let rest = &outbox.sending[outbox.sent..];
        if rest.is_empty() {
            return outbox.prepare_special(sqe, &self.state.fd);
        }
        sqe.opcode = io_uring::opcode::Send::CODE;
        sqe.op_flags = SEND_FLAGS;
        sqe.set_memory(rest.as_ptr(), rest.len());
    }

    #[inline]
    fn on_completion(&mut self, cqe: Cqe, wakes: &mut Wakes) -> Flow {
        let outbox = &mut *self.state.outbox.borrow_mut();
        if outbox.completed_usual(cqe.res) {
            return Flow::Rest;
        }
        // In registers: a completion by address would have to be written first.
        outbox.completed(&self.state.fd, cqe.res, cqe.flags, wakes)
    }
}

impl Outbox {
    /// Handles the completion of the only send, if there is nothing else to do and nobody waits.
    /// `false`: there is, and nothing has happened.
    #[inline]
    fn completed_usual(&mut self, res: i32) -> bool {
        let rest = self.sending.len() - self.sent;
        let is_all = usize::try_from(res).is_ok_and(|count| count == rest);
        if !is_all || !self.is_usual() || self.is_large() {
            return false;
        }
        self.in_flight = false;
        self.armed = false;
        self.sending.clear();
        self.sent = 0;
        true
    }

    /// Handles any other completion.
    #[inline(never)]
    fn completed(&mut self, fd: &Fd, res: i32, flags: u32, wakes: &mut Wakes) -> Flow {
        let cqe = Cqe {
            user_data: 0,
            res,
            flags,
        };
        match usize::try_from(res) {
            Ok(count) if count > 0 && !self.is_special => self.sent += count,
            Ok(_) | Err(_) => {
                if let Some(flow) = self.completed_special(cqe, fd, wakes) {
                    return flow;
                }
            }
        }
        self.in_flight = false;
        let has_rest = self.sent < self.sending.len();
        if has_rest {
            self.join_pending();
        }
        if self.has_waiter() {
            self.wake(wakes);
        }
        if has_rest || self.turn_over(fd) || self.is_special && self.has_special() {
            return Flow::Again;
        }
        self.armed = false;
        Flow::Rest
    }

    /// Describes a send of what is in line, or the end of the stream.
    #[cold]
    fn prepare_special(&mut self, sqe: &mut Sqe, socket: &Fd) {
        let from = self.zero_copy_from();
        if let Some(line) = self.used_line() {
            sqe.op_flags = SEND_FLAGS;
            return line.prepare(sqe, socket, from);
        }
        debug_assert!(self.ending != Ending::Open, "there is something to do");
        self.ending = Ending::UnderWay;
        sqe.opcode = io_uring::opcode::Shutdown::CODE;
        sqe.len = libc::SHUT_WR.cast_unsigned();
    }

    /// Whether there is something in line, or the stream is to be ended.
    #[cold]
    fn has_special(&mut self) -> bool {
        self.used_line().is_some() || self.ending == Ending::Asked
    }

    /// A completion that is not just that of some bytes. `None`: there may be more to send.
    #[cold]
    fn completed_special(&mut self, cqe: Cqe, socket: &Fd, wakes: &mut Wakes) -> Option<Flow> {
        if self.ending == Ending::UnderWay {
            return Some(self.ended(cqe, wakes));
        }
        // The line comes when `sending` is done, so this is what was sent.
        let is_lined = self.sending.is_empty();
        let line = self.used_line().filter(|_| is_lined);
        let mut cqe = cqe;
        if let Some(line) = line {
            if !cqe.is_last() {
                line.taken(cqe.res);
                wakes.extend(self.take_waiter());
                return Some(Flow::Rest);
            }
            let Some(res) = line.landed(cqe, socket) else {
                self.in_flight = false;
                return Some(Flow::Again);
            };
            cqe.res = res;
            if line.was_zero_copy() && is_refused(cqe.errno()) {
                line.copy_next();
                self.in_flight = false;
                return Some(Flow::Again);
            }
        }
        match usize::try_from(cqe.res) {
            Ok(count) if count > 0 => self.advance(count, is_lined, wakes),
            Ok(_) | Err(_) => return Some(self.failed(cqe, wakes)),
        }
        None
    }
}

impl Outbox {
    /// Counts what was sent, of the line or of the copied bytes before it.
    fn advance(&mut self, count: usize, is_lined: bool, wakes: &mut Wakes) {
        if !is_lined {
            self.sent += count;
            return;
        }
        if let Some(line) = self.used_line() {
            line.advance(count, wakes);
            if line.is_empty() {
                self.leave_line();
            }
        }
    }

    /// A send that sent nothing: again after an interruption or when everything on the descriptor
    /// was asked to end, which is not meant for what waits here; else the end of the queue.
    fn failed(&mut self, cqe: Cqe, wakes: &mut Wakes) -> Flow {
        let errno = match cqe.errno() {
            libc::EINTR | libc::EAGAIN | libc::ECANCELED => {
                self.in_flight = false;
                self.join_pending();
                return Flow::Again;
            }
            // No bytes, and no reason either.
            0 => libc::EIO,
            RETIRED => libc::ESHUTDOWN,
            errno => errno,
        };
        if let Some(line) = self.fail(errno) {
            line.dispose(wakes);
        }
        wakes.extend(self.take_waiter());
        self.armed = false;
        Flow::Rest
    }
}

/// Whether a send without a copy cannot be made: the socket does not have it, or the memory that may
/// be locked is used up. Then the next one is an ordinary one.
fn is_refused(errno: i32) -> bool {
    [libc::EOPNOTSUPP, libc::EINVAL, libc::ENOMEM, libc::ENOBUFS].contains(&errno)
}

/// All or an error, and no `SIGPIPE`.
const SEND_FLAGS: u32 = (libc::MSG_WAITALL | libc::MSG_NOSIGNAL).cast_unsigned();

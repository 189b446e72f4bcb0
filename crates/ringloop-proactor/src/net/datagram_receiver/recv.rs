//! The multishot receive of datagrams.

use std::rc::Rc;

use super::inbox::{Inbox, Piece};
use super::state::State;
use crate::net::datagram::{HEADER, Layout};
use crate::op::{Flow, RETIRED, Service};
use crate::ops::header::MsgHeader;
use crate::ring::{BUFFER_SELECT, Cqe, Sqe};
use crate::wakes::Wakes;

/// Counterparts: `io_uring_prep_recvmsg_multishot(3)`, and `io_uring_prep_recvmsg(3)` into a buffer
/// of its own while no provided buffer is free.
pub(super) struct RecvDatagrams {
    state: Rc<State>,
    /// Says how much room the address and the ancillary data have; of a receive into a buffer of
    /// its own, also what came.
    header: MsgHeader,
    /// Where the bytes go then: `struct iovec`.
    room: [usize; 2],
}

impl RecvDatagrams {
    pub(super) fn new(state: Rc<State>) -> Self {
        Self {
            state,
            header: MsgHeader::default(),
            room: [0; 2],
        }
    }

    /// Names a buffer of its own, laid out as the provided ones.
    #[cold]
    fn name_own(&mut self) {
        let Layout {
            name_room,
            control_room,
        } = self.state.layout;
        let mut inbox = self.state.inbox.borrow_mut();
        let len = self.state.buffer_bytes;
        let own = inbox
            .own
            .get_or_insert_with(|| vec![0; len].into_boxed_slice());
        let start = own.as_mut_ptr().expose_provenance();
        let prefix = self.state.layout.prefix();
        self.room = [start + prefix, len - prefix];
        self.header = MsgHeader {
            name: start + HEADER,
            name_len: u32::try_from(name_room).expect("an address is short"),
            buffers: self.room.as_ptr().expose_provenance(),
            buffers_count: 1,
            control: start + HEADER + name_room,
            control_len: control_room,
            flags: 0,
        };
    }

    /// What a receive without a provided buffer brought. The buffer stays for the next one.
    #[cold]
    fn own_piece(&self, inbox: &mut Inbox, count: u32) -> Piece {
        let MsgHeader {
            name_len,
            control_len,
            flags,
            ..
        } = self.header;
        let own = inbox.own.as_mut().expect("N1: bytes arrive in a buffer");
        let control_len = u32::try_from(control_len).unwrap_or(0);
        Layout::write_header(own, name_len, control_len, flags);
        let end = self.state.layout.prefix() + count as usize;
        Piece::Own(own[..end].into())
    }

    /// A completion without a message: why the receive has ended.
    #[cold]
    fn failed(&self, inbox: &mut Inbox, cqe: Cqe, wakes: &mut Wakes) -> Flow {
        let waits = !self.state.waiters.is_empty();
        match cqe.errno() {
            RETIRED => {
                while let Some(waiter) = self.state.grant() {
                    wakes.push(waiter);
                }
                Flow::Rest
            }
            libc::EINTR | libc::EAGAIN => inbox.again(true),
            // The buffers are used up, and perhaps there can be more.
            libc::ENOBUFS if self.state.pool.as_ref().is_some_and(|pool| pool.refill()) => {
                inbox.again(!inbox.is_full(&self.state))
            }
            // There are no more buffers, or we asked for the end.
            libc::ENOBUFS | libc::ECANCELED => inbox.again(waits && !inbox.is_full(&self.state)),
            _ if inbox.closed => Flow::Rest,
            errno => {
                inbox.fail(errno);
                wakes.extend(self.state.grant());
                // What fails for good would fail in circles: only with an empty queue, and for
                // those who wait, it is tried again.
                inbox.again(!self.state.waiters.is_empty())
            }
        }
    }
}

// SAFETY: N1, the entry names the counted descriptor and the header in the service itself, which
// does not move (I2); that one names either no memory (the kernel picks a buffer of the pool) or
// the array beside it and the `own` buffer on the heap, which is left alone while `armed`.
unsafe impl Service for RecvDatagrams {
    const NAME: &'static str = "recvmsg multishot";

    fn prepare(&mut self, sqe: &mut Sqe) {
        let pool = self.state.pool.as_ref().filter(|pool| pool.refill());
        let group = pool.map(|pool| pool.group());
        let entry = Sqe {
            // Without waiting for readiness first, an empty pool would be an answer at once.
            ioprio: POLL_FIRST,
            op_flags: libc::MSG_CMSG_CLOEXEC.cast_unsigned(),
            ..Sqe::on(io_uring::opcode::RecvMsg::CODE, &self.state.fd)
        };
        match group {
            Some(group) => {
                let Layout {
                    name_room,
                    control_room,
                } = self.state.layout;
                self.header = MsgHeader {
                    name_len: u32::try_from(name_room).expect("an address is short"),
                    control_len: control_room,
                    ..MsgHeader::default()
                };
                *sqe = self.header.named_in(Sqe {
                    ioprio: RECV_MULTISHOT | POLL_FIRST,
                    flags: entry.flags | BUFFER_SELECT,
                    buffer: group,
                    ..entry
                });
            }
            None => {
                self.name_own();
                *sqe = self.header.named_in(entry);
            }
        }
    }

    #[inline]
    fn on_completion(&mut self, cqe: Cqe, wakes: &mut Wakes) -> Flow {
        let is_last = cqe.is_last();
        if is_last {
            self.state.inbox.borrow_mut().ended();
        }
        let flow = self.take_in(cqe, is_last, wakes);
        if is_last && flow == Flow::Rest {
            wakes.extend(self.state.inbox.borrow_mut().stopper.take());
        }
        flow
    }
}

impl RecvDatagrams {
    #[inline(always)]
    fn take_in(&mut self, cqe: Cqe, is_last: bool, wakes: &mut Wakes) -> Flow {
        let state = &self.state;
        let mut inbox = state.inbox.borrow_mut();
        let Ok(filled) = u32::try_from(cqe.res) else {
            return self.failed(&mut inbox, cqe, wakes);
        };
        let (piece, bytes) = match cqe.buffer_id() {
            Some(id) => {
                let bytes = (filled as usize).checked_sub(state.layout.prefix());
                let bytes = bytes.expect("the kernel writes the whole prefix");
                (Piece::Lent(state.lender().lend(id, filled)), bytes)
            }
            None => (self.own_piece(&mut inbox, filled), filled as usize),
        };
        if inbox.closed {
            state.give_back(piece);
            return Flow::Rest;
        }
        inbox.arrived(piece, bytes);
        if let Some(waiter) = state.grant() {
            wakes.push(waiter);
        }
        let is_full = inbox.is_full(state);
        if is_last {
            // An empty datagram ends a multishot, and so does a full completion queue.
            return inbox.again(!is_full);
        }
        if is_full {
            return inbox.stop();
        }
        Flow::Rest
    }
}

/// `IORING_RECVSEND_POLL_FIRST`.
const POLL_FIRST: u16 = 1 << 0;
/// `IORING_RECV_MULTISHOT`.
const RECV_MULTISHOT: u16 = 1 << 1;

#[cfg(test)]
mod tests;

//! The service that sends datagrams.

use std::rc::Rc;

use super::State;
use super::outbox::{Fate, Outbox};
use crate::op::{Flow, RETIRED, Service};
use crate::ring::{Cqe, Sqe};
use crate::wakes::Wakes;

/// Counterparts: `io_uring_prep_sendto(3)`, and `io_uring_prep_sendmsg(3)` with ancillary data.
///
/// Entries of the ring have no order unless they are linked, and links cost more than calls do. Of
/// what a turn has to send, all but the last goes by calls that do not wait, and the last through
/// the ring; or the first that would wait, and those behind it in a later turn.
pub(super) struct SendDatagrams {
    pub(super) state: Rc<State>,
}

impl SendDatagrams {
    /// Wakes who waits for room, for an empty queue, or for an error.
    #[inline]
    fn wake(&self, outbox: &Outbox, wakes: &mut Wakes) {
        let state = &self.state;
        if !state.waiters.is_empty() && (outbox.is_low() || outbox.has_error()) {
            wakes.extend(state.grant());
        }
        if !state.flushers.is_empty() && (outbox.queued() == 0 || outbox.has_error()) {
            while let Some(flusher) = state.flushers.take_one() {
                wakes.push(flusher);
            }
        }
    }

    /// The proactor goes.
    #[cold]
    fn retired(&self, outbox: &mut Outbox, wakes: &mut Wakes) -> Flow {
        drop(outbox.retire());
        self.wake(outbox, wakes);
        Flow::Rest
    }
}

// SAFETY: N1, the entry names the counted descriptor and the heap memory of the first datagram that
// is to be sent: bytes, address, and the header with what it names. What is written meanwhile is in
// another batch; this one is changed only in the completion hook and in `prepare`, when no send is
// in flight.
unsafe impl Service for SendDatagrams {
    const NAME: &'static str = "sendto";

    #[inline]
    fn prepare(&mut self, sqe: &mut Sqe) {
        let state = &*self.state;
        let mut outbox = state.outbox.borrow_mut();
        outbox.turn_over();
        if state.sends_ahead
            && let Some(socket) = state.fd.plain()
        {
            outbox.send_ahead(socket, libc::MSG_NOSIGNAL);
        }
        let target = state.fd.target();
        sqe.fd = target.number;
        sqe.flags |= target.flags;
        sqe.op_flags = libc::MSG_NOSIGNAL.cast_unsigned();
        outbox.prepare(sqe);
    }

    #[inline]
    fn on_completion(&mut self, cqe: Cqe, wakes: &mut Wakes) -> Flow {
        let mut outbox = self.state.outbox.borrow_mut();
        let errno = cqe.errno();
        if errno == RETIRED {
            return self.retired(&mut outbox, wakes);
        }
        // One that waits is at the front, where it is found again.
        let (Fate::Gone | Fate::Waits) = outbox.settle(errno);
        self.wake(&outbox, wakes);
        if outbox.turn_over() {
            return Flow::Again;
        }
        outbox.armed = false;
        Flow::Rest
    }
}

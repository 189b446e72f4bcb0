//! The multishot receive of a stream.

use std::rc::Rc;

use super::inbox::{Inbox, REFUSED};
use crate::op::{Flow, Service};
use crate::ring::{BUFFER_SELECT, Cqe, Sqe};
use crate::wakes::Wakes;

/// Counterparts: `io_uring_prep_recv_multishot(3)`, and `io_uring_prep_recv(3)` into a buffer of
/// its own while no provided buffer is free.
pub(super) struct RecvMultishot {
    pub(super) inbox: Rc<Inbox>,
}

// SAFETY: N1, the entry names the counted descriptor and either no memory (the kernel picks a
// buffer of the pool) or the `own` buffer on the heap, which is left alone while that is in flight.
unsafe impl Service for RecvMultishot {
    const NAME: &'static str = "recv multishot";

    fn prepare(&mut self, sqe: &mut Sqe) {
        *sqe = Sqe::on(io_uring::opcode::Recv::CODE, &self.inbox.fd);
        let was_refused = self.inbox.status.has(REFUSED);
        self.inbox.status.clear(REFUSED);
        let pool = self.inbox.pool.as_ref();
        if let Some(pool) = pool.filter(|pool| !was_refused && pool.provided() > 0) {
            // Not `POLL_FIRST`: a multishot receive that finds bytes and an end behind them when it
            // begins to poll takes the bytes, and never looks again. What is there has to be taken
            // before it polls. If the pool is empty by then, that is an answer at once.
            sqe.ioprio = RECV_MULTISHOT;
            sqe.flags |= BUFFER_SELECT;
            sqe.buffer = pool.group();
            return;
        }
        sqe.ioprio = POLL_FIRST;
        let own = self.inbox.make_own(OWN_LEN);
        sqe.set_memory(own.cast(), own.len());
    }

    #[inline]
    fn on_completion(&mut self, cqe: Cqe, wakes: &mut Wakes) -> Flow {
        let inbox = &*self.inbox;
        if !inbox.take_in_usual(cqe) {
            // In registers: a completion by address would have to be written first.
            return inbox.take_in(cqe.res, cqe.flags, wakes);
        }
        inbox.tell(wakes);
        Flow::Rest
    }
}

const OWN_LEN: usize = 4 * 1024;
/// `IORING_RECVSEND_POLL_FIRST`.
const POLL_FIRST: u16 = 1 << 0;
/// `IORING_RECV_MULTISHOT`.
const RECV_MULTISHOT: u16 = 1 << 1;

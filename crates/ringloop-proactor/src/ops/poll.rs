//! Waiting for a descriptor to be ready.

use std::io;

use crate::buf::Chunk;
use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Multishot, Op, OpKey, OpStream, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Waits until a descriptor is ready for some of `events` (`POLLIN`, `POLLOUT`, …), and tells for
    /// which. Counterpart: `poll(2)`, `io_uring_prep_poll_add(3)`, `loop.add_reader` of asyncio.
    pub fn poll(&self, fd: &Fd, events: u32) -> Op<PollAdd> {
        let fd = fd.clone();
        self.submit(PollAdd { fd, events })
    }

    /// Tells each time that a descriptor becomes ready for some of `events`.
    ///
    /// It tells of *changes*: bytes that arrive while others wait unread count as one, bytes that are
    /// left unread are not told again. Counterpart: `io_uring_prep_poll_multishot(3)`.
    pub fn poll_multishot(&self, fd: &Fd, events: u32) -> OpStream<PollMultishot> {
        let fd = fd.clone();
        OpStream::new(self.clone(), PollMultishot { fd, events })
    }
}

/// Waits until a descriptor is ready for some events. Linux 5.1. Counterpart:
/// `io_uring_prep_poll_add(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_poll_add")]
pub struct PollAdd {
    fd: Fd,
    events: u32,
}

// SAFETY: as the module says.
unsafe impl Operation for PollAdd {
    /// The events that are ready, as in `poll(2)`.
    type Output = io::Result<u32>;
    type Leftover = ();
    const NAME: &'static str = "poll";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            op_flags: self.events,
            ..Sqe::on(io_uring::opcode::PollAdd::CODE, &self.fd)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result()
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Tells each time that a descriptor becomes ready. Linux 5.13. Counterpart:
/// `io_uring_prep_poll_multishot(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_poll_multishot")]
pub struct PollMultishot {
    fd: Fd,
    events: u32,
}

// SAFETY: as the module says.
unsafe impl Multishot for PollMultishot {
    /// The events that are ready, as in `poll(2)`.
    type Item = u32;
    const NAME: &'static str = "poll multishot";

    fn prepare(&mut self, sqe: &mut Sqe) {
        *sqe = Sqe {
            op_flags: self.events,
            len: POLL_ADD_MULTI,
            ..Sqe::on(io_uring::opcode::PollAdd::CODE, &self.fd)
        };
    }

    fn item(&mut self, cqe: Cqe, _lent: Option<Chunk>) -> io::Result<Self::Item> {
        cqe.result()
    }
}

impl OpStream<PollMultishot> {
    /// Changes what is told of. Counterpart: `io_uring_prep_poll_update(3)`.
    ///
    /// Events that are there already are told of. Await the change before the next one.
    ///
    /// # Errors
    ///
    /// The future gives `ENOENT` if the kernel was not polling at the moment, because it had stopped
    /// by itself: then the change holds from when it goes on. It gives `EALREADY` if the kernel was
    /// just telling of an event, and the change has to be made again.
    ///
    /// # Cancel safety
    ///
    /// Dropped after it was submitted, the change is made all the same.
    pub fn update_events(&mut self, events: u32) -> Op<PollUpdate> {
        let target = self.update(|poll| poll.events = events);
        self.handle().submit(PollUpdate { target, events })
    }
}

/// Changes the events of a multishot poll. Linux 5.13. Counterpart: `io_uring_prep_poll_update(3)`.
/// Made by [`OpStream::update_events`].
///
/// There is none for a single [`PollAdd`]: kernels that are still in use lose its answer if it is
/// changed to events that are there already. Cancel it and begin another one.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_poll_update")]
pub struct PollUpdate {
    /// `None` if none is in flight: the next one begins with the new events.
    target: Option<OpKey>,
    events: u32,
}

// SAFETY: the entry names no memory and no descriptor, and the other entry by a name that no later
// operation gets (I3).
unsafe impl Operation for PollUpdate {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "poll update";

    fn prepare(&mut self) -> Sqe {
        let Some(target) = self.target else {
            return Sqe::new(io_uring::opcode::Nop::CODE, -1);
        };
        Sqe {
            address: target.to_user_data(),
            len: POLL_UPDATE_EVENTS | POLL_ADD_MULTI,
            op_flags: self.events,
            ..Sqe::new(io_uring::opcode::PollRemove::CODE, -1)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// `IORING_POLL_UPDATE_EVENTS`.
const POLL_UPDATE_EVENTS: u32 = 1 << 1;
/// `IORING_POLL_ADD_MULTI`.
pub(crate) const POLL_ADD_MULTI: u32 = 1 << 0;

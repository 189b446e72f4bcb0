//! Sending a number or a descriptor to another proactor.

use std::io;

use super::direct::ALLOC;
use crate::fd::Fd;
use crate::handle::Handle;
use crate::mail::{Address, Inbox, descriptor_user_data};
use crate::op::{Op, OpKey, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Opens the inbox of this proactor, to which other proactors send. There is one at a time.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` while there is one; those of `dup(2)`.
    pub fn inbox(&self) -> io::Result<Inbox> {
        // A descriptor can only come into a table that is there.
        self.shared().direct_table()?;
        Inbox::new(self.clone())
    }

    /// Sends a number to another proactor, waking it if it sleeps. Counterpart:
    /// `io_uring_prep_msg_ring(3)`.
    ///
    /// That the future succeeds means that the number is in the other ring, not that its thread
    /// still looks there. The other side has no bound: what it does not take piles up.
    ///
    /// # Errors
    ///
    /// `NotConnected` if the inbox is gone.
    ///
    /// # Cancel safety
    ///
    /// Dropped after it was submitted, the message is sent all the same.
    pub fn send_message(&self, to: &Address, data: u64) -> io::Result<Op<SendMessage>> {
        to.check()?;
        Ok(self.submit(SendMessage {
            to: to.clone(),
            data,
        }))
    }

    /// Sends a direct descriptor to another proactor, with a number of one's own. The other side
    /// gets one of its own; this one stays open. Counterpart: `io_uring_prep_msg_ring_fd_alloc(3)`.
    ///
    /// # Errors
    ///
    /// `NotConnected` if the inbox is gone, `InvalidInput` if the descriptor is not direct
    /// ([`register`](Self::register) makes it so). The future gives `ENFILE` if the other table is
    /// full.
    ///
    /// # Cancel safety
    ///
    /// Dropped after it was submitted, the descriptor is sent all the same.
    pub fn send_descriptor(
        &self,
        to: &Address,
        fd: &Fd,
        tag: u16,
    ) -> io::Result<Op<SendDescriptor>> {
        to.check()?;
        if !(fd.is_direct() && fd.handle().is_same(self)) {
            let text = "only a direct descriptor of the sending proactor can be sent to another one: register it first";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Ok(self.submit(SendDescriptor {
            to: to.clone(),
            fd: fd.clone(),
            tag,
        }))
    }
}

/// Sends a number into another ring. Linux 5.18. Counterpart: `io_uring_prep_msg_ring(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_msg_ring")]
pub struct SendMessage {
    to: Address,
    data: u64,
}

// SAFETY: as the module says; the address keeps the other ring's descriptor open.
unsafe impl Operation for SendMessage {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "msg_ring";

    fn prepare(&mut self) -> Sqe {
        let [high, low] = [self.data >> 32, self.data & u64::from(u32::MAX)];
        let [high, low] = [high, low].map(|half| u32::try_from(half).expect("it is half"));
        Sqe {
            offset: OpKey::message(high).to_user_data(),
            len: low,
            ..Sqe::new(io_uring::opcode::MsgRingData::CODE, self.to.ring())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Sends a direct descriptor into another ring. Linux 6.0. Counterpart:
/// `io_uring_prep_msg_ring_fd_alloc(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_msg_ring_fd_alloc")]
pub struct SendDescriptor {
    to: Address,
    fd: Fd,
    tag: u16,
}

// SAFETY: as the module says; the address keeps the other ring's descriptor open.
unsafe impl Operation for SendDescriptor {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "msg_ring";

    fn prepare(&mut self) -> Sqe {
        let source = self.fd.target();
        Sqe {
            address: MSG_SEND_FD,
            offset: descriptor_user_data(self.tag),
            address3: u64::from(source.number.cast_unsigned()),
            file_index: ALLOC,
            ..Sqe::new(io_uring::opcode::MsgRingSendFd::CODE, self.to.ring())
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result().map(drop)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// `IORING_MSG_SEND_FD`.
const MSG_SEND_FD: u64 = 1;

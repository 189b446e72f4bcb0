//! What a connection needs beyond single operations: queues that lose nothing.
//!
//! An [`Acceptor`], a [`Receiver`] and a [`Sender`] each keep one [`Service`](crate::op::Service)
//! in the op table and share a queue with it. Connections and bytes that arrive belong to the
//! queue, not to the future that waits for them, so dropping that future loses nothing.
//!
//! # Invariants
//!
//! - **N1** A service's entry names only the descriptor and the memory of the state that it shares
//!   with its owner; while it is in flight, neither side touches that memory.
//! - **N2** An owned buffer in a send queue, or the end of a pipe, is in a box of its own, which one
//!   waker owns and drops. A buffer's bytes are asked for once, there. Such a waker is in the queue,
//!   or among the wakers of the proactor that run after a batch: it never leaves the thread.
//! - **N3** An option of a socket is read into, and set from, memory of the size that is named.
//! - **N4** A call that sends reads memory that is borrowed for the call, and keeps none of it.

#![expect(
    unsafe_code,
    reason = "each service vouches for the memory that its entry names"
)]

mod acceptor;
mod credentials;
mod datagram;
mod datagram_receiver;
mod datagram_sender;
mod receiver;
mod sender;

use std::cell::RefCell;
use std::io;
use std::task::Waker;

pub use acceptor::{Accepted, Acceptor};
pub use credentials::Credentials;
pub use datagram::{Datagram, DatagramNote};
pub use datagram_receiver::{Arrival, DatagramReceiver, DatagramReceiverStats};
pub use datagram_sender::{DatagramSender, Dispatch, Enclosed, Flushing};
pub use receiver::Receiver;
pub(crate) use sender::Spares;
pub use sender::{SendPipe, Sender};

/// The error of a resource whose proactor has been dropped.
pub(crate) fn proactor_gone() -> io::Error {
    io::Error::other("the proactor of this descriptor has been shut down")
}

/// Puts `waker` in its place for later. No waker is cloned or dropped with the borrow alive: that
/// is foreign code, which may come back here.
#[inline]
fn keep<S>(state: &RefCell<S>, place: fn(&mut S) -> &mut Option<Waker>, waker: &Waker) {
    let waker = waker.clone();
    let old = place(&mut state.borrow_mut()).replace(waker);
    drop(old);
}

//! A place in the line of those who wait for a datagram.

use std::fmt;
use std::io;
use std::task::{Context, Poll, ready};

use ringloop_core::WaitKey;

use super::DatagramReceiver;
use super::inbox::Copied;
use crate::net::datagram::{Datagram, DatagramNote};
use crate::net::proactor_gone;
use crate::ops::address::SocketAddress;

/// A place in the line of those who wait for a datagram. Dropping it gives the place up.
#[must_use = "a place in the line is of use to who waits"]
pub struct Arrival<'a> {
    pub(super) receiver: &'a DatagramReceiver,
    pub(super) key: Option<WaitKey>,
}

impl Arrival<'_> {
    /// Copies the next datagram into `buf`, or wakes the task when there is one.
    ///
    /// # Errors
    ///
    /// As [`DatagramReceiver::recv`].
    pub fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<DatagramNote>> {
        self.poll_note(cx, buf, true)
    }

    /// Copies the next datagram and leaves it in the queue, or wakes the task when there is one.
    ///
    /// # Errors
    ///
    /// As [`DatagramReceiver::recv`]. An error that is told is not left in the queue.
    pub fn poll_peek(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
    ) -> Poll<io::Result<DatagramNote>> {
        self.poll_note(cx, buf, false)
    }

    fn poll_note(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
        takes: bool,
    ) -> Poll<io::Result<DatagramNote>> {
        let peer = |name: &[u8]| SocketAddress::from_bytes(name).ok();
        let (copied, peer) = ready!(self.poll_copy(cx, buf, takes, peer))?;
        Poll::Ready(Ok(DatagramNote {
            count: copied.count,
            peer,
            is_truncated: copied.is_truncated,
        }))
    }

    /// Copies the next datagram into `buf`, and takes it or leaves it in the queue, or wakes the task
    /// when there is one. Returns its length, as far as there was room, and what `peer` makes of the
    /// name of who has sent it: the bytes of a `sockaddr`, none if there is no name.
    ///
    /// # Errors
    ///
    /// As [`DatagramReceiver::recv`].
    ///
    /// # Panics
    ///
    /// If `peer` uses the receiver, which is taken apart meanwhile.
    #[inline]
    pub fn poll_recv_with<P>(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
        takes: bool,
        peer: impl FnOnce(&[u8]) -> P,
    ) -> Poll<io::Result<(usize, P)>> {
        let (copied, peer) = ready!(self.poll_copy(cx, buf, takes, peer))?;
        Poll::Ready(Ok((copied.count, peer)))
    }

    #[inline(always)]
    fn poll_copy<P>(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut [u8],
        takes: bool,
        peer: impl FnOnce(&[u8]) -> P,
    ) -> Poll<io::Result<(Copied, P)>> {
        let state = &*self.receiver.state;
        let is_alone = self.key.is_none() && state.waiters.is_empty() && state.granted.get() == 0;
        if !is_alone || !state.inbox.borrow().has_datagram() {
            ready!(self.poll_turn(cx))?;
        }
        let mut inbox = state.inbox.borrow_mut();
        let copied = inbox.copy_out(state, buf, takes, peer);
        let is_odd = !inbox.armed || !is_alone;
        drop(inbox);
        if is_odd {
            self.receiver.went_on();
        }
        Poll::Ready(Ok(copied))
    }

    /// Lends the next datagram, or wakes the task when there is one.
    ///
    /// # Errors
    ///
    /// As [`DatagramReceiver::recv`].
    pub fn poll_datagram(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Datagram>> {
        ready!(self.poll_turn(cx))?;
        let datagram = self.receiver.take();
        self.receiver.went_on();
        Poll::Ready(Ok(datagram))
    }

    /// Waits until it is this one's turn and a datagram is at the front; tells an error that is.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let state = &self.receiver.state;
        let is_my_turn = match &self.key {
            // Whoever comes new stands behind those who wait or have been called.
            None => state.waiters.is_empty() && state.has_surplus(),
            Some(key) => !state.waiters.update(key, cx.waker()),
        };
        if is_my_turn {
            if let Some(key) = self.key.take() {
                state.waiters.remove(key);
                state.granted.set(state.granted.get() - 1);
            }
            let mut inbox = state.inbox.borrow_mut();
            if inbox.has_datagram() {
                return Poll::Ready(Ok(()));
            }
            if let Some(errno) = inbox.pop_error() {
                drop(inbox);
                self.receiver.went_on();
                return Poll::Ready(Err(io::Error::from_raw_os_error(errno)));
            }
        }
        if self.key.is_none() {
            self.key = Some(state.waiters.push(cx.waker()));
        }
        if self.receiver.arm() {
            Poll::Pending
        } else {
            Poll::Ready(Err(proactor_gone()))
        }
    }
}

impl Arrival<'_> {
    #[cold]
    fn give_up(&self, key: WaitKey) {
        let state = &self.receiver.state;
        if !state.waiters.remove(key) {
            state.granted.set(state.granted.get() - 1);
            state.call_next();
        }
    }
}

/// A wait that was called and takes nothing passes the call on.
impl Drop for Arrival<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.give_up(key);
        }
    }
}

impl fmt::Debug for Arrival<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival")
            .field("receiver", self.receiver)
            .finish_non_exhaustive()
    }
}

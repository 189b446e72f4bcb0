//! A place in the line of those who send.

use std::fmt;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use ringloop_core::WaitKey;

use super::{DatagramSender, Enclosed};
use crate::net::proactor_gone;
use crate::ops::address::SocketAddress;

/// A place in the line of those who send. Dropping it gives the place up.
#[must_use = "a place in the line is of use to who waits"]
pub struct Dispatch<'a> {
    pub(super) sender: &'a DatagramSender,
    pub(super) key: Option<WaitKey>,
}

impl Dispatch<'_> {
    /// Queues a datagram, or wakes the task when there is room for it.
    ///
    /// # Errors
    ///
    /// As [`DatagramSender::send`].
    pub fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        to: Option<&SocketAddress>,
        enclosed: Enclosed<'_>,
    ) -> Poll<io::Result<usize>> {
        let address = to.map_or(&[][..], SocketAddress::as_bytes);
        self.poll_send_named(cx, bytes, address, enclosed)
    }

    /// As [`poll_send`](Self::poll_send), to an address of IP as std has it, perhaps cut into datagrams
    /// of `segment_bytes`.
    ///
    /// # Errors
    ///
    /// As [`DatagramSender::send`].
    #[inline]
    pub fn poll_send_to_ip(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        to: SocketAddr,
        segment_bytes: Option<u16>,
    ) -> Poll<io::Result<usize>> {
        let enclosed = Enclosed {
            segment_bytes,
            ..Enclosed::default()
        };
        let (address, len) = SocketAddress::bytes_of_ip(to);
        self.poll_send_named(cx, bytes, &address[..usize::from(len)], enclosed)
    }

    #[inline(always)]
    fn poll_send_named(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        address: &[u8],
        enclosed: Enclosed<'_>,
    ) -> Poll<io::Result<usize>> {
        let state = &*self.sender.state;
        let is_alone = self.key.is_none() && state.waiters.is_empty() && !state.granted.get();
        if !is_alone {
            return self.poll_in_line(cx, bytes, address, enclosed);
        }
        match self.try_send(bytes, address, enclosed) {
            Some(result) => Poll::Ready(result),
            None => self.poll_in_line(cx, bytes, address, enclosed),
        }
    }

    /// The same if there are others who wait, or there is no room.
    #[cold]
    fn poll_in_line(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        address: &[u8],
        enclosed: Enclosed<'_>,
    ) -> Poll<io::Result<usize>> {
        let state = &self.sender.state;
        let is_my_turn = match &self.key {
            None => state.waiters.is_empty() && !state.granted.get(),
            Some(key) => !state.waiters.update(key, cx.waker()),
        };
        if is_my_turn {
            if let Some(key) = self.key.take() {
                state.waiters.remove(key);
                state.granted.set(false);
            }
            let result = self.try_send(bytes, address, enclosed);
            if let Some(result) = result {
                if !state.waiters.is_empty() {
                    state.call_next();
                }
                return Poll::Ready(result);
            }
        }
        if self.key.is_none() {
            self.key = Some(state.waiters.push(cx.waker()));
        }
        Poll::Pending
    }

    /// `None`: there is no room.
    #[inline]
    fn try_send(
        &self,
        bytes: &[u8],
        address: &[u8],
        enclosed: Enclosed<'_>,
    ) -> Option<io::Result<usize>> {
        let sender = self.sender;
        let mut outbox = sender.state.outbox.borrow_mut();
        if let Some(error) = outbox.take_error() {
            return Some(Err(error));
        }
        if !outbox.has_room(bytes.len()) {
            return None;
        }
        let mut ancillary = None;
        if !enclosed.is_empty() {
            drop(outbox);
            match enclosed.ancillary(&sender.state.fd) {
                Ok(enclosure) => ancillary = Some(enclosure),
                Err(error) => return Some(Err(error)),
            }
            outbox = sender.state.outbox.borrow_mut();
        }
        outbox.push(bytes, address, ancillary);
        let was_armed = mem::replace(&mut outbox.armed, true);
        drop(outbox);
        if was_armed || sender.arm() {
            return Some(Ok(bytes.len()));
        }
        Some(Err(proactor_gone()))
    }

    #[cold]
    fn give_up(&self, key: WaitKey) {
        let state = &self.sender.state;
        if !state.waiters.remove(key) {
            state.granted.set(false);
            state.call_next();
        }
    }
}

/// A sender that was called and sends nothing passes the call on.
impl Drop for Dispatch<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.give_up(key);
        }
    }
}

impl fmt::Debug for Dispatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatch")
            .field("sender", self.sender)
            .finish_non_exhaustive()
    }
}

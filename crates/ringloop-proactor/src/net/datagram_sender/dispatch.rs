//! A place in the line of those who send.

use std::fmt;
use std::io;
use std::mem;
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
    pub(super) flush: Option<WaitKey>,
}

impl Dispatch<'_> {
    /// Queues a datagram, or wakes the task when there is room for it.
    ///
    /// # Errors
    ///
    /// As [`DatagramSender::send`].
    #[inline]
    pub fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        to: Option<&SocketAddress>,
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
            let result = self.try_send(bytes, to, enclosed);
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
        to: Option<&SocketAddress>,
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
        outbox.push(bytes, to, ancillary);
        let was_armed = mem::replace(&mut outbox.armed, true);
        drop(outbox);
        if was_armed || sender.arm() {
            return Some(Ok(bytes.len()));
        }
        Some(Err(proactor_gone()))
    }

    /// Tells whether everything has been sent, or wakes the task when it has.
    ///
    /// # Errors
    ///
    /// As [`DatagramSender::send`].
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let state = &self.sender.state;
        let mut outbox = state.outbox.borrow_mut();
        let error = outbox.take_error();
        let is_empty = outbox.queued() == 0;
        drop(outbox);
        if let Some(error) = error {
            return Poll::Ready(Err(error));
        }
        if is_empty {
            return Poll::Ready(Ok(()));
        }
        let waits = self
            .flush
            .as_ref()
            .is_some_and(|key| state.flushers.update(key, cx.waker()));
        if !waits {
            let key = state.flushers.push(cx.waker());
            if let Some(old) = self.flush.replace(key) {
                state.flushers.remove(old);
            }
        }
        Poll::Pending
    }
}

/// A sender that was called and sends nothing passes the call on.
impl Drop for Dispatch<'_> {
    fn drop(&mut self) {
        let state = &self.sender.state;
        if let Some(key) = self.flush.take() {
            state.flushers.remove(key);
        }
        let Some(key) = self.key.take() else { return };
        if !state.waiters.remove(key) {
            state.granted.set(false);
            state.call_next();
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

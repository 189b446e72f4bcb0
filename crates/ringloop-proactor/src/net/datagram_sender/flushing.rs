//! A wait for everything to be sent.

use std::fmt;
use std::io;
use std::task::{Context, Poll};

use ringloop_core::WaitKey;

use super::DatagramSender;

/// A wait for the kernel to take everything that was queued.
#[must_use = "it tells nothing until it is asked"]
pub struct Flushing<'a> {
    pub(super) sender: &'a DatagramSender,
    pub(super) key: Option<WaitKey>,
}

impl Flushing<'_> {
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
            .key
            .as_ref()
            .is_some_and(|key| state.flushers.update(key, cx.waker()));
        if !waits {
            let key = state.flushers.push(cx.waker());
            if let Some(old) = self.key.replace(key) {
                state.flushers.remove(old);
            }
        }
        Poll::Pending
    }
}

impl Drop for Flushing<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.sender.state.flushers.remove(key);
        }
    }
}

impl fmt::Debug for Flushing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flushing")
            .field("sender", self.sender)
            .finish_non_exhaustive()
    }
}

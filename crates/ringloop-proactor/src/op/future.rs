//! The future of a one-shot operation.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::table::Ticket;
use super::{Disposition, Operation};
use crate::handle::Handle;
use crate::ring::Cqe;

/// An operation that resolves when the kernel has performed it.
///
/// The entry is written at the first poll and submitted with the batch of the next park.
/// [`cancel`](Self::cancel) *asks* the kernel to end it and leaves the future to say what came of
/// that; dropping the future *abandons* the operation, which then ends by itself.
///
/// # Cancel safety
///
/// Cancel returns the buffer: cancelled, it yields `ECANCELED` and the buffer, or its result if
/// it had completed; dropped, the buffer and any bytes read are lost, a descriptor that it would
/// have returned is closed.
#[must_use = "an operation does nothing until it is awaited"]
pub struct Op<O: Operation> {
    handle: Handle,
    progress: Progress<O>,
}

enum Progress<O> {
    Unstarted(O),
    /// Cancelled before the first poll: it will end without having been submitted.
    Refused(O),
    Started(Ticket<O>),
    Taken,
}

impl<O: Operation> Op<O> {
    pub(crate) fn new(handle: Handle, op: O) -> Self {
        Self {
            handle,
            progress: Progress::Unstarted(op),
        }
    }

    /// Asks the kernel to end the operation. The future then tells which of the two won.
    ///
    /// Before the first poll, and before the entry was submitted, the operation does not happen at
    /// all. Asking twice is the same as asking once.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn cancel(&mut self) {
        if let Progress::Started(ticket) = &self.progress {
            return self.handle.shared().cancel(ticket);
        }
        self.progress = match mem::replace(&mut self.progress, Progress::Taken) {
            Progress::Unstarted(op) => Progress::Refused(op),
            other @ (Progress::Refused(_) | Progress::Started(_) | Progress::Taken) => other,
        };
    }

    #[expect(
        unsafe_code,
        reason = "the operation is prepared where the kernel will find it"
    )]
    fn start(&mut self, op: O, cx: &mut Context<'_>) -> Poll<O::Output> {
        let shared = self.handle.shared();
        let ticket = match shared.insert(op, cx.waker()) {
            Ok(ticket) => ticket,
            Err(op) => return Poll::Ready(op.complete(Cqe::failed(libc::ECANCELED))),
        };
        let key = ticket.key();
        let pinned = shared.pinned(&ticket);
        // A buffer's code runs in `prepare`: if it panics, dropping this future frees the slot.
        self.progress = Progress::Started(ticket);
        // SAFETY: I1 and I2, the operation is staged, so only this future reaches it, and it is
        // at the address at which it stays.
        let sqe = unsafe { &mut *pinned }.prepare();
        shared.stage(key, sqe);
        Poll::Pending
    }
}

impl<O: Operation> Future for Op<O> {
    type Output = O::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match mem::replace(&mut self.progress, Progress::Taken) {
            Progress::Unstarted(op) => self.start(op, cx),
            Progress::Refused(op) => Poll::Ready(op.complete(Cqe::failed(libc::ECANCELED))),
            Progress::Started(ticket) => match self.handle.shared().take(&ticket, cx.waker()) {
                Some((op, cqe)) => Poll::Ready(op.complete(cqe)),
                None => {
                    self.progress = Progress::Started(ticket);
                    Poll::Pending
                }
            },
            Progress::Taken => panic!("an operation was polled after it had completed"),
        }
    }
}

/// The operation is never pinned in the future: it moves into the table before it is prepared.
impl<O: Operation> Unpin for Op<O> {}

impl<O: Operation> Drop for Op<O> {
    fn drop(&mut self) {
        if let Progress::Started(ticket) = mem::replace(&mut self.progress, Progress::Taken)
            && let Disposition::Gone(detached) = self.handle.shared().abandon(&ticket)
        {
            drop(detached);
        }
    }
}

impl<O: Operation> fmt::Debug for Op<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let progress = match &self.progress {
            Progress::Unstarted(_) => "unstarted",
            Progress::Refused(_) => "cancelled before it started",
            Progress::Started(_) => "started",
            Progress::Taken => "taken",
        };
        f.debug_struct("Op")
            .field("progress", &progress)
            .finish_non_exhaustive()
    }
}

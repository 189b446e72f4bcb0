//! The future of a one-shot operation.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::report::{OpReport, OpState};
use super::table::Ticket;
use super::{Cancelling, OpKey, Operation};
use crate::handle::Handle;
use crate::ring::Cqe;
use crate::shared::Shared;

/// An operation that resolves when the kernel has performed it.
///
/// The entry is written at the first poll and submitted with the batch of the next park.
/// [`cancel`](Self::cancel) *asks* the kernel to end it and tells which of the two won; dropping the
/// future *abandons* the operation, which then ends by itself. One that a signal interrupts before
/// it has done anything is begun again.
///
/// Its `Debug` form says where it stands: `recv on fd 7, in flight for 2.1 s`.
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
    /// An interruption by a signal is the result: the operation was asked to end, or is linked.
    keeps_interruption: bool,
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
            keeps_interruption: false,
        }
    }

    /// Makes an operation that ends with `ECANCELED` without being submitted: its arguments are bad,
    /// and its `complete` says so.
    #[cold]
    pub(crate) fn refused(handle: Handle, op: O) -> Self {
        Self {
            handle,
            progress: Progress::Refused(op),
            keeps_interruption: false,
        }
    }

    /// Asks the kernel to end the operation, and waits for what comes of that: its own result if it
    /// came first, else what it owned.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Outcome, Proactor};
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let handle = proactor.handle();
    /// let (reader, _writer) = std::io::pipe()?;
    /// let reader = handle.adopt(reader);
    /// let read = handle.read(&reader, Vec::with_capacity(100), u64::MAX);
    /// match proactor.block_on(read.cancel())? {
    ///     Outcome::Completed(result) => println!("read {} bytes", result?.0),
    ///     Outcome::Cancelled(buffer) => assert_eq!(buffer.capacity(), 100),
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, the operation is abandoned as if it had been dropped itself.
    pub fn cancel(mut self) -> Cancelling<O> {
        self.request_cancel();
        Cancelling::new(self)
    }

    /// Asks the kernel to end the operation. The future then tells which of the two won.
    ///
    /// Before the first poll, and before the entry was submitted, the operation does not happen at
    /// all. Asking twice is the same as asking once.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn request_cancel(&mut self) {
        self.keeps_interruption = true;
        if let Progress::Started(ticket) = &self.progress {
            return self.handle.shared().cancel(ticket);
        }
        self.progress = match mem::replace(&mut self.progress, Progress::Taken) {
            Progress::Unstarted(op) => Progress::Refused(op),
            other @ (Progress::Refused(_) | Progress::Started(_) | Progress::Taken) => other,
        };
    }

    /// Returns what is known of the operation now.
    #[must_use]
    pub fn report(&self) -> OpReport {
        let state = match &self.progress {
            Progress::Unstarted(_) | Progress::Refused(_) => OpState::Unstarted,
            Progress::Started(_) | Progress::Taken => OpState::Taken,
        };
        let known = self.key().and_then(|key| self.handle.shared().report(key));
        known.unwrap_or(OpReport::new(O::NAME, state, None, Duration::ZERO))
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    pub(super) fn is_unstarted(&self) -> bool {
        matches!(self.progress, Progress::Unstarted(_) | Progress::Refused(_))
    }

    /// The name of its slot, if it has one.
    pub(super) fn key(&self) -> Option<OpKey> {
        match &self.progress {
            Progress::Started(ticket) => Some(self.handle.shared().key(ticket)),
            Progress::Unstarted(_) | Progress::Refused(_) | Progress::Taken => None,
        }
    }

    pub(super) fn keep_interruption(&mut self) {
        self.keeps_interruption = true;
    }

    /// Moves the operation into the table and describes it, without staging the entry. `None`: it
    /// was cancelled before, or the proactor is gone; then it is refused.
    pub(super) fn enter_table(&mut self, cx: &mut Context<'_>) -> Option<OpKey> {
        let shared = self.handle.shared();
        let ticket = Self::begin(&mut self.progress, shared, cx)?;
        shared.described(ticket)
    }

    /// Moves the operation into the table and describes it. `None`: it was refused, before or now.
    #[expect(
        unsafe_code,
        reason = "the operation is prepared where the kernel will find it"
    )]
    #[inline]
    fn begin<'a>(
        progress: &'a mut Progress<O>,
        shared: &Shared,
        cx: &mut Context<'_>,
    ) -> Option<&'a Ticket<O>> {
        let op = match mem::replace(progress, Progress::Taken) {
            Progress::Unstarted(op) => op,
            other @ (Progress::Refused(_) | Progress::Started(_) | Progress::Taken) => {
                *progress = other;
                return None;
            }
        };
        match shared.insert(op, cx.waker()) {
            Ok((ticket, unprepared)) => {
                // A buffer's code runs in `prepare`: if it panics, dropping this future frees the
                // slot.
                *progress = Progress::Started(ticket);
                // SAFETY: I1 and I2, the operation is staged, so only this future reaches it, and
                // it is at the address at which it stays.
                let sqe = unsafe { &mut *unprepared.op }.prepare();
                // SAFETY: T1, the slot is there; no other reference to its entry is alive.
                unsafe { unprepared.sqe.write(sqe) };
            }
            Err(op) => *progress = Progress::Refused(op),
        }
        match progress {
            Progress::Started(ticket) => Some(ticket),
            Progress::Unstarted(_) | Progress::Refused(_) | Progress::Taken => None,
        }
    }

    /// The operation and its last completion, which may be that it was refused.
    #[inline]
    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<(O, Cqe)> {
        if let Progress::Started(ticket) = &self.progress {
            let Some((op, cqe)) = self.handle.shared().take(ticket, cx.waker()) else {
                return Poll::Pending;
            };
            self.progress = Progress::Taken;
            if cqe.res != -libc::EINTR || self.keeps_interruption {
                return Poll::Ready((op, cqe));
            }
            self.progress = Progress::Unstarted(op);
        }
        self.poll_start(cx)
    }

    #[inline(never)]
    fn abandon(&mut self) {
        if let Progress::Started(ticket) = mem::replace(&mut self.progress, Progress::Taken) {
            drop(self.handle.shared().abandon(&ticket));
        }
    }

    /// Starts the operation, or tells that it was refused.
    #[inline(never)]
    fn poll_start(&mut self, cx: &mut Context<'_>) -> Poll<(O, Cqe)> {
        let shared = self.handle.shared();
        if let Some(ticket) = Self::begin(&mut self.progress, shared, cx) {
            shared.stage(ticket);
            return Poll::Pending;
        }
        match mem::replace(&mut self.progress, Progress::Taken) {
            Progress::Refused(op) => Poll::Ready((op, Cqe::failed(libc::ECANCELED))),
            Progress::Unstarted(_) | Progress::Started(_) | Progress::Taken => {
                panic!("an operation was polled after it had completed")
            }
        }
    }
}

impl<O: Operation> Future for Op<O> {
    type Output = O::Output;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (op, cqe) = ready!(self.poll_end(cx));
        Poll::Ready(op.complete(cqe))
    }
}

/// The operation is never pinned in the future: it moves into the table before it is prepared.
impl<O: Operation> Unpin for Op<O> {}

impl<O: Operation> Drop for Op<O> {
    #[inline]
    fn drop(&mut self) {
        if let Progress::Started(_) = &self.progress {
            self.abandon();
        }
    }
}

impl<O: Operation> fmt::Debug for Op<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Op({})", self.report())
    }
}

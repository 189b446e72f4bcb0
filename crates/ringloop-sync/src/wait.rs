//! One wait in the list of a lock or queue, under a host.
//!
//! Every future of this crate is a loop around a [`Wait`]: begin, look, file the waker, look again
//! when woken. What is the same for all of them is here; what a wake hands over, and what becomes
//! of it if the waiter is gone by then, is the business of whoever owns the list.

use std::fmt;
use std::mem;
use std::panic::Location;
use std::task::{Context, Poll};

use ringloop_core::{WaitKey, WaitList};

use crate::host::Host;

/// The place of one future in a list, and its watch.
pub(crate) struct Wait<H: Host> {
    watch: H::Watch,
    stage: Stage,
}

enum Stage {
    New,
    /// The host lets it begin.
    Begun,
    Listed(WaitKey),
}

impl<H: Host> Wait<H> {
    #[inline]
    pub(crate) fn new(at: &'static Location<'static>) -> Self {
        Self {
            watch: H::watch(at),
            stage: Stage::New,
        }
    }

    /// Whether the wait is in a list, woken or not.
    #[inline]
    pub(crate) fn is_listed(&self) -> bool {
        matches!(self.stage, Stage::Listed(_))
    }

    /// Asks the host, once, whether the wait may begin.
    #[inline]
    pub(crate) fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), H::Cancelled>> {
        if let Stage::New = self.stage {
            match H::poll_begin(&mut self.watch, cx) {
                Poll::Ready(Ok(())) => self.stage = Stage::Begun,
                not_yet @ (Poll::Pending | Poll::Ready(Err(_))) => return not_yet,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Goes to the back of `list` with `value`. What comes next is [`poll_listed`](Self::poll_listed).
    pub(crate) fn enlist<T>(&mut self, list: &WaitList<T>, value: T, cx: &mut Context<'_>) {
        debug_assert!(!self.is_listed(), "a wait has one place");
        self.stage = Stage::Listed(list.push_with(value, cx.waker()));
    }

    /// What comes next in the poll in which the wait went to the list, in place of
    /// [`poll_listed`](Self::poll_listed): if it was woken meanwhile, so was the task, which is polled
    /// again therefore.
    #[inline(always)]
    pub(crate) fn poll_enlisted<T>(
        &mut self,
        list: &WaitList<T>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, (T, H::Cancelled)>> {
        match H::poll_cancelled(&mut self.watch, cx) {
            Ok(()) => Poll::Pending,
            Err(cancelled) => match self.leave(list) {
                // The host's code may have woken it; the value wins.
                Some(Ok(value)) => Poll::Ready(Ok(value)),
                Some(Err(value)) => Poll::Ready(Err((value, cancelled))),
                None => Poll::Pending,
            },
        }
    }

    /// Looks whether the wait was woken: `Ready(Ok)` has what it was left, and the wait is out of
    /// the list. `Ready(Err)` says that it is cancelled, was not woken, and has left the list with
    /// what it had brought.
    pub(crate) fn poll_listed<T>(
        &mut self,
        list: &WaitList<T>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<T, (T, H::Cancelled)>> {
        if let Poll::Ready(left) = self.poll_woken(list, cx) {
            return Poll::Ready(Ok(left));
        }
        self.poll_enlisted(list, cx)
    }

    /// The same for a wait that goes on even if it is cancelled.
    pub(crate) fn poll_in_any_case<T>(
        &mut self,
        list: &WaitList<T>,
        cx: &mut Context<'_>,
    ) -> Poll<T> {
        let woken = self.poll_woken(list, cx);
        if woken.is_pending() && H::poll_cancelled(&mut self.watch, cx).is_err() {
            H::stay(&mut self.watch);
        }
        woken
    }

    /// Files the waker, or takes what the wait was left.
    #[inline]
    fn poll_woken<T>(&mut self, list: &WaitList<T>, cx: &mut Context<'_>) -> Poll<T> {
        let Stage::Listed(key) = &self.stage else {
            unreachable!("a wait that is polled on is listed");
        };
        let woken = list.poll_take(key, cx.waker());
        if woken.is_ready() {
            self.stage = Stage::New;
        }
        woken
    }

    /// Leaves the list: `Ok` with what the wait was left if it was woken, `Err` with what it had
    /// brought if not. `None` if it is in no list.
    pub(crate) fn leave<T>(&mut self, list: &WaitList<T>) -> Option<Result<T, T>> {
        match mem::replace(&mut self.stage, Stage::New) {
            Stage::Listed(key) => Some(list.take(key)),
            Stage::New | Stage::Begun => None,
        }
    }
}

impl<H: Host> fmt::Debug for Wait<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait")
            .field("is_listed", &self.is_listed())
            .finish_non_exhaustive()
    }
}

//! One wait in a list behind a lock, under a host.
//!
//! What `crate::wait` is for the lists of one thread, with the lock taken and released around each
//! step, and no foreign code in between.

use std::fmt;
use std::mem;
use std::panic::Location;
use std::task::{Context, Poll, Waker};

use ringloop_core::panics::drop_quietly;
use ringloop_core::{WaitKey, WaitList};

use super::wait_list::{Look, Waiters, look};
use crate::host::Host;

/// The place of one future in a list, and its watch.
pub(super) struct Wait<H: Host> {
    watch: H::Watch,
    stage: Stage,
}

enum Stage {
    New,
    /// The host lets it begin.
    Begun,
    Listed(WaitKey),
}

/// How a wait in a list ends: with what it was left, or cancelled, with what it had brought.
type Left<T, H> = Result<T, (T, <H as Host>::Cancelled)>;

impl<H: Host> Wait<H> {
    #[inline]
    pub(super) fn new(at: &'static Location<'static>) -> Self {
        Self {
            watch: H::watch(at),
            stage: Stage::New,
        }
    }

    /// Whether the wait is in a list, woken or not.
    #[inline]
    pub(super) fn is_listed(&self) -> bool {
        matches!(self.stage, Stage::Listed(_))
    }

    /// Asks the host, once, whether the wait may begin.
    #[inline]
    pub(super) fn poll_begin(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), H::Cancelled>> {
        if let Stage::New = self.stage {
            match H::poll_begin(&mut self.watch, cx) {
                Poll::Ready(Ok(())) => self.stage = Stage::Begun,
                not_yet @ (Poll::Pending | Poll::Ready(Err(_))) => return not_yet,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Goes to the back of `list` with `value`, under the lock of the list.
    /// [`poll_listed`](Self::poll_listed) comes next, in the same poll: it asks the host.
    pub(super) fn enlist<T>(&mut self, list: &WaitList<T>, value: T, waker: Waker) {
        debug_assert!(!self.is_listed(), "a wait has one place");
        self.stage = Stage::Listed(list.push_owned(value, waker));
    }

    /// Looks whether the wait was woken: `Ready(Ok)` has what it was left, and the wait is out of
    /// the list. `Ready(Err)` says that it is cancelled, was not woken, and has left the list with
    /// what it had brought.
    pub(super) fn poll_listed<W: Waiters>(
        &mut self,
        list: &W,
        cx: &mut Context<'_>,
    ) -> Poll<Left<W::Value, H>> {
        if let Some(left) = self.look(list, cx.waker()) {
            return Poll::Ready(Ok(left));
        }
        match H::poll_cancelled(&mut self.watch, cx) {
            Ok(()) => Poll::Pending,
            Err(cancelled) => match self.leave(list) {
                // It was woken meanwhile; the value wins.
                Some(Ok(value)) => Poll::Ready(Ok(value)),
                Some(Err(value)) => Poll::Ready(Err((value, cancelled))),
                None => Poll::Pending,
            },
        }
    }

    /// What the wait was left if it was woken. If not, `waker` is its waker from here on.
    fn look<W: Waiters>(&mut self, list: &W, waker: &Waker) -> Option<W::Value> {
        let Stage::Listed(key) = mem::replace(&mut self.stage, Stage::Begun) else {
            unreachable!("a wait that is polled on is listed");
        };
        match list.with(|list| look(list, key, waker)) {
            Look::Granted(left) => return Some(left),
            Look::Waits(key) => {
                self.stage = Stage::Listed(key);
                return None;
            }
            // Listed also while the clone runs, which may panic.
            Look::Differs(key) => self.stage = Stage::Listed(key),
        }
        let new = waker.clone();
        let Stage::Listed(key) = &self.stage else {
            unreachable!("it was put back");
        };
        let exchanged = list.with(|list| list.exchange(key, new));
        let is_waiting = exchanged.is_ok();
        drop(exchanged);
        if is_waiting {
            return None;
        }
        let (Ok(value) | Err(value)) = self.leave(list)?;
        Some(value)
    }

    /// Leaves the list: `Ok` with what the wait was left if it was woken, `Err` with what it had
    /// brought if not. `None` if it is in no list. Does not panic: the caller may have to pass on
    /// what it was granted.
    pub(super) fn leave<W: Waiters>(&mut self, list: &W) -> Option<Result<W::Value, W::Value>> {
        match mem::replace(&mut self.stage, Stage::New) {
            Stage::Listed(key) => {
                let left = list.with(|list| list.withdraw(key));
                Some(left.map_err(|(value, waker)| {
                    drop_quietly(waker);
                    value
                }))
            }
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

//! The futures that wait for a value, or for a turn to make it.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::OnceCell;
use crate::host::Host;
use crate::wait::Wait;

/// A future of the value; see [`OnceCell::wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct OnceCellWait<'a, T, H: Host> {
    cell: &'a OnceCell<T, H>,
    wait: Wait<H>,
}

impl<'a, T, H: Host> OnceCellWait<'a, T, H> {
    pub(super) fn new(cell: &'a OnceCell<T, H>, at: &'static Location<'static>) -> Self {
        Self {
            cell,
            wait: Wait::new(at),
        }
    }

    fn poll_value(&mut self, cx: &mut Context<'_>) -> Poll<Result<&'a T, H::Cancelled>> {
        let onlookers = &self.cell.turns.onlookers;
        if !self.wait.is_listed() {
            ready!(self.wait.poll_begin(cx))?;
            if let Some(value) = self.cell.get() {
                return Poll::Ready(Ok(value));
            }
            self.wait.enlist(onlookers, (), cx);
            self.cell.look_again();
        }
        match ready!(self.wait.poll_listed(onlookers, cx)) {
            Ok(()) => Poll::Ready(Ok(self.cell.get().expect("O1: onlookers see a value"))),
            Err(((), cancelled)) => Poll::Ready(Err(cancelled)),
        }
    }
}

impl<'a, T, H: Host> Future for OnceCellWait<'a, T, H> {
    type Output = H::Outcome<&'a T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_value(cx).map(H::outcome)
    }
}

impl<T, H: Host> Drop for OnceCellWait<'_, T, H> {
    fn drop(&mut self) {
        let _woken = self.wait.leave(&self.cell.turns.onlookers);
    }
}

impl<T, H: Host> fmt::Debug for OnceCellWait<'_, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnceCellWait")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// A future of the value, or of the turn to make it.
pub(super) struct Enter<'a, T, H: Host> {
    cell: &'a OnceCell<T, H>,
    wait: Wait<H>,
    at: &'static Location<'static>,
}

/// What somebody who would initialize a cell finds.
pub(super) enum Entered<'a, T, H: Host> {
    Value(&'a T),
    Turn(Turn<'a, T, H>),
}

/// The right to make the value; dropped, it is passed on.
pub(super) struct Turn<'a, T, H: Host>(&'a OnceCell<T, H>);

impl<'a, T, H: Host> Enter<'a, T, H> {
    pub(super) fn new(cell: &'a OnceCell<T, H>, at: &'static Location<'static>) -> Self {
        Self {
            cell,
            wait: Wait::new(at),
            at,
        }
    }

    fn poll_enter(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Entered<'a, T, H>, H::Cancelled>> {
        let turns = &self.cell.turns;
        if !self.wait.is_listed() {
            ready!(self.wait.poll_begin(cx))?;
            if let Some(value) = self.cell.get() {
                return Poll::Ready(Ok(Entered::Value(value)));
            }
            if turns.try_take(self.at) {
                return Poll::Ready(Ok(Entered::Turn(Turn(self.cell))));
            }
            self.wait.enlist(&turns.waiters, self.at, cx);
            self.cell.look_again();
        }
        match ready!(self.wait.poll_listed(&turns.waiters, cx)) {
            Ok(_woken) => Poll::Ready(Ok(self.entered())),
            Err((_, cancelled)) => Poll::Ready(Err(cancelled)),
        }
    }

    /// What somebody finds who was woken (O1).
    fn entered(&self) -> Entered<'a, T, H> {
        match self.cell.get() {
            Some(value) => Entered::Value(value),
            None => Entered::Turn(Turn(self.cell)),
        }
    }
}

impl<'a, T, H: Host> Turn<'a, T, H> {
    /// Ends the turn, and all others with it.
    pub(super) fn set(self, value: T) -> &'a T {
        let cell = self.0;
        let value = cell.value.get_or_init(|| value);
        drop(self);
        value
    }
}

impl<T, H: Host> Drop for Turn<'_, T, H> {
    fn drop(&mut self) {
        self.0.end_turn();
    }
}

impl<'a, T, H: Host> Future for Enter<'a, T, H> {
    type Output = Result<Entered<'a, T, H>, H::Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll_enter(cx)
    }
}

impl<T, H: Host> Drop for Enter<'_, T, H> {
    fn drop(&mut self) {
        if let Some(Ok(_woken)) = self.wait.leave(&self.cell.turns.waiters) {
            // A turn that was given is dropped here, and so passed on.
            drop(self.entered());
        }
    }
}

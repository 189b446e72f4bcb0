//! The future of a turn.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::raw::{Broken, RawBarrier};
use super::{BarrierError, BarrierTurn};
use crate::host::Host;
use crate::wait::Wait;

/// A future of a [`BarrierTurn`]; see [`Barrier::wait`](crate::hosted::Barrier::wait).
#[must_use = "futures do nothing unless awaited"]
pub struct BarrierWait<'a, H: Host> {
    raw: &'a RawBarrier,
    wait: Wait<H>,
}

impl<'a, H: Host> BarrierWait<'a, H> {
    #[inline]
    pub(super) fn new(raw: &'a RawBarrier, at: &'static Location<'static>) -> Self {
        Self {
            raw,
            wait: Wait::new(at),
        }
    }

    /// Out of line, so that the wait of the last one is inlined whole.
    #[cold]
    fn poll_listed(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<BarrierTurn, BarrierError<H::Cancelled>>> {
        match ready!(self.wait.poll_listed(&self.raw.waiters, cx)) {
            Ok(turn) => {
                self.raw.left();
                Poll::Ready(turn.map(BarrierTurn::new).ok_or(BarrierError::Broken))
            }
            Err((_, cancelled)) => Poll::Ready(Err(BarrierError::Cancelled(cancelled))),
        }
    }

    #[cold]
    fn abandon(&mut self) {
        if let Some(Ok(_turn)) = self.wait.leave(&self.raw.waiters) {
            self.raw.left();
        }
    }
}

impl<H: Host> Future for BarrierWait<'_, H> {
    type Output = Result<BarrierTurn, BarrierError<H::Cancelled>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { raw, wait } = &mut *self;
        if !wait.is_listed() {
            ready!(wait.poll_begin(cx)).map_err(BarrierError::Cancelled)?;
            match raw.arrive() {
                Some(Ok(index)) => return Poll::Ready(Ok(BarrierTurn::new(index))),
                Some(Err(Broken)) => return Poll::Ready(Err(BarrierError::Broken)),
                None => {}
            }
            wait.enlist(&raw.waiters, None, cx);
            raw.settle();
        }
        self.poll_listed(cx)
    }
}

impl<H: Host> Drop for BarrierWait<'_, H> {
    #[inline]
    fn drop(&mut self) {
        if self.wait.is_listed() {
            self.abandon();
        }
    }
}

impl<H: Host> fmt::Debug for BarrierWait<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWait")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

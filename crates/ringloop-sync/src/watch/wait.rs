//! The futures of a watch.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ringloop_core::WaitList;

use super::error::RecvError;
use super::shared::{Ref, Shared};
use crate::host::Host;
use crate::wait::Wait;

/// A wait in one of the lists of a watch, for whatever `look` finds.
fn poll_until<T, R, H: Host>(
    wait: &mut Wait<H>,
    shared: &Shared<T>,
    list: &WaitList,
    cx: &mut Context<'_>,
    mut look: impl FnMut() -> Option<R>,
) -> Poll<Result<R, H::Cancelled>> {
    loop {
        if !wait.is_listed() {
            ready!(wait.poll_begin(cx))?;
            if let Some(found) = look() {
                return Poll::Ready(Ok(found));
            }
            let state = shared.state();
            wait.enlist(list, (), cx);
            // A waker's clone is foreign code, which may have changed what is looked at.
            if shared.state() != state {
                wait.leave(list);
                continue;
            }
        }
        ready!(wait.poll_listed(list, cx)).map_err(|((), cancelled)| cancelled)?;
        // Here and not after the host was asked again: the value wins.
        if let Some(found) = look() {
            return Poll::Ready(Ok(found));
        }
    }
}

/// A future of the next value that was not seen; see [`Receiver::changed`](super::Receiver).
#[must_use = "futures do nothing unless awaited"]
pub struct Changed<'a, T, H: Host> {
    shared: &'a Shared<T>,
    seen: &'a mut u64,
    wait: Wait<H>,
}

impl<'a, T, H: Host> Changed<'a, T, H> {
    #[inline]
    pub(super) fn new(
        shared: &'a Shared<T>,
        seen: &'a mut u64,
        at: &'static Location<'static>,
    ) -> Self {
        Self {
            shared,
            seen,
            wait: Wait::new(at),
        }
    }
}

impl<T, H: Host> Future for Changed<'_, T, H> {
    type Output = Result<(), RecvError<H::Cancelled>>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { shared, seen, wait } = &mut *self;
        let look = || {
            let version = shared.version();
            if **seen != version {
                **seen = version;
                return Some(Ok(()));
            }
            (!shared.has_senders()).then_some(Err(RecvError::Closed))
        };
        poll_until(wait, shared, &shared.changed, cx, look)
            .map(|found| found.unwrap_or_else(|cancelled| Err(RecvError::Cancelled(cancelled))))
    }
}

impl<T, H: Host> Drop for Changed<'_, T, H> {
    fn drop(&mut self) {
        self.wait.leave(&self.shared.changed);
    }
}

impl<T, H: Host> fmt::Debug for Changed<'_, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changed")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// A future of a value that is wanted; see [`Receiver::wait_for`](super::Receiver).
#[must_use = "futures do nothing unless awaited"]
pub struct WaitFor<'a, T, H: Host, P> {
    shared: &'a Shared<T>,
    seen: &'a mut u64,
    wait: Wait<H>,
    is_wanted: P,
}

impl<'a, T, H: Host, P> WaitFor<'a, T, H, P> {
    #[inline]
    pub(super) fn new(
        shared: &'a Shared<T>,
        seen: &'a mut u64,
        is_wanted: P,
        at: &'static Location<'static>,
    ) -> Self {
        Self {
            shared,
            seen,
            wait: Wait::new(at),
            is_wanted,
        }
    }
}

// The predicate is called where it is, and never pinned.
impl<T, H: Host, P> Unpin for WaitFor<'_, T, H, P> {}

impl<'a, T, H: Host, P: FnMut(&T) -> bool> Future for WaitFor<'a, T, H, P> {
    type Output = Result<Ref<'a, T>, RecvError<H::Cancelled>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            shared,
            seen,
            wait,
            is_wanted,
        } = &mut *self;
        let shared: &'a Shared<T> = shared;
        let look = || {
            let value = shared.borrow(**seen);
            **seen = shared.version();
            if is_wanted(&value) {
                return Some(Ok(value));
            }
            (!shared.has_senders()).then_some(Err(RecvError::Closed))
        };
        poll_until(wait, shared, &shared.changed, cx, look)
            .map(|found| found.unwrap_or_else(|cancelled| Err(RecvError::Cancelled(cancelled))))
    }
}

impl<T, H: Host, P> Drop for WaitFor<'_, T, H, P> {
    fn drop(&mut self) {
        self.wait.leave(&self.shared.changed);
    }
}

impl<T, H: Host, P> fmt::Debug for WaitFor<'_, T, H, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitFor")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// A future of the end of the last receiver; see [`Sender::closed`](super::Sender).
#[must_use = "futures do nothing unless awaited"]
pub struct Closed<'a, T, H: Host> {
    shared: &'a Shared<T>,
    wait: Wait<H>,
}

impl<'a, T, H: Host> Closed<'a, T, H> {
    pub(super) fn new(shared: &'a Shared<T>, at: &'static Location<'static>) -> Self {
        Self {
            shared,
            wait: Wait::new(at),
        }
    }
}

impl<T, H: Host> Future for Closed<'_, T, H> {
    type Output = H::Outcome<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { shared, wait } = &mut *self;
        let was_listed = wait.is_listed();
        let look = || (was_listed || !shared.has_receivers()).then_some(());
        poll_until(wait, shared, &shared.deserted, cx, look).map(H::outcome)
    }
}

impl<T, H: Host> Drop for Closed<'_, T, H> {
    fn drop(&mut self) {
        self.wait.leave(&self.shared.deserted);
    }
}

impl<T, H: Host> fmt::Debug for Closed<'_, T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

//! A host on which whoever polls a task says whether it is cancelled.

use std::cell::Cell;
use std::fmt;
use std::panic::Location;
use std::task::{Context, Poll};

use ringloop_sync::Host;

/// The host of the tests; see [`while_cancelled`].
pub(crate) enum TestHost {}

/// What a wait says in a task that was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cancelled")
    }
}

impl std::error::Error for Cancelled {}

impl From<Cancelled> for std::io::Error {
    fn from(cancelled: Cancelled) -> Self {
        Self::other(cancelled)
    }
}

/// Runs `poll` as that of a task which is cancelled or not. One may run in another.
pub(crate) fn while_cancelled<T>(is_cancelled: bool, poll: impl FnOnce() -> T) -> T {
    let outer = IS_CANCELLED.replace(is_cancelled);
    let polled = poll();
    IS_CANCELLED.set(outer);
    polled
}

thread_local! {
    /// Whether the task that is being polled is cancelled.
    static IS_CANCELLED: Cell<bool> = const { Cell::new(false) };
}

impl Host for TestHost {
    type Watch = ();
    type Cancelled = Cancelled;
    type Outcome<T> = Result<T, Cancelled>;

    fn watch(_: &'static Location<'static>) {}

    fn poll_begin(watch: &mut (), cx: &mut Context<'_>) -> Poll<Result<(), Cancelled>> {
        Poll::Ready(Self::poll_cancelled(watch, cx))
    }

    fn poll_cancelled((): &mut (), _: &mut Context<'_>) -> Result<(), Cancelled> {
        if IS_CANCELLED.get() {
            Err(Cancelled)
        } else {
            Ok(())
        }
    }

    fn outcome<T>(result: Result<T, Cancelled>) -> Result<T, Cancelled> {
        result
    }
}

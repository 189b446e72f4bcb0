//! How the waits of locks and queues see a runtime.

use std::panic::Location;
use std::task::{Context, Poll};

use ringloop_sync::Host;
use ringloop_task::cancel::{CancelWatch, Cancelled};

/// The [`Host`] of the types of this module: waits that belong to a task and its scopes.
#[derive(Debug)]
#[non_exhaustive]
pub enum TaskHost {}

impl Host for TaskHost {
    type Watch = CancelWatch;
    type Cancelled = Cancelled;
    type Outcome<T> = Result<T, Cancelled>;

    #[inline]
    fn watch(at: &'static Location<'static>) -> CancelWatch {
        CancelWatch::at(at)
    }

    #[inline]
    fn poll_begin(watch: &mut CancelWatch, cx: &mut Context<'_>) -> Poll<Result<(), Cancelled>> {
        watch.poll_begin(cx)
    }

    #[inline]
    fn poll_cancelled(watch: &mut CancelWatch, cx: &mut Context<'_>) -> Result<(), Cancelled> {
        watch.poll_cancelled(cx)
    }

    fn stay(watch: &mut CancelWatch) {
        watch.stay();
    }

    #[inline]
    fn outcome<T>(result: Result<T, Cancelled>) -> Result<T, Cancelled> {
        result
    }
}

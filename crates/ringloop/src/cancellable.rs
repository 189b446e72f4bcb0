//! An operation that is tied to the scope it is awaited in: ask, then wait for the answer.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use ringloop_proactor::{Op, Operation};
use ringloop_task::cancel::{CancelWatch, Cancelled};

/// Awaits `op`; when the scope is cancelled, asks the kernel to end it and waits for the verdict.
///
/// A result that came before the request is returned as it is: the value wins.
pub(crate) struct Cancellable<O: Operation> {
    op: Op<O>,
    watch: CancelWatch,
    progress: Progress,
}

enum Progress {
    New,
    Waiting,
    Asked(Cancelled),
}

impl<O: Operation> Cancellable<O> {
    #[track_caller]
    pub(crate) fn new(op: Op<O>) -> Self {
        Self {
            op,
            watch: CancelWatch::new(),
            progress: Progress::New,
        }
    }
}

impl<O: Operation<Output = io::Result<T>>, T> Future for Cancellable<O> {
    type Output = io::Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Progress::New = this.progress {
            this.watch.poll_cancelled(cx)?;
            this.progress = Progress::Waiting;
        }
        if let Poll::Ready(result) = Pin::new(&mut this.op).poll(cx) {
            return Poll::Ready(match (&this.progress, result) {
                (Progress::Asked(cancelled), Err(error))
                    if error.raw_os_error() == Some(libc::ECANCELED) =>
                {
                    Err(cancelled.clone().into())
                }
                (_, result) => result,
            });
        }
        if let Progress::Waiting = this.progress
            && let Err(cancelled) = this.watch.poll_cancelled(cx)
        {
            this.op.request_cancel();
            this.watch.stay();
            this.progress = Progress::Asked(cancelled);
            // It may have ended at once, before it was ever submitted.
            return self.poll(cx);
        }
        Poll::Pending
    }
}

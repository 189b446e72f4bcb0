//! A wait of the bridge, inside the scopes of its task.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use ringloop_task::cancel::{CancelWatch, Cancelled};
use ringloop_task::task::poll_budget;

pin_project! {
    /// Awaits a future that knows nothing of scopes, and gives it up when the scope is cancelled:
    /// dropping it has to lose nothing that the caller does not say.
    #[must_use = "futures do nothing unless awaited"]
    #[derive(Debug)]
    pub(super) struct Watched<F> {
        #[pin]
        future: F,
        watch: CancelWatch,
        has_begun: bool,
    }
}

impl<F: Future> Watched<F> {
    #[track_caller]
    pub(super) fn new(future: F) -> Self {
        Self {
            future,
            watch: CancelWatch::new(),
            has_begun: false,
        }
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = Result<F::Output, Cancelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if !*this.has_begun {
            this.watch.poll_cancelled(cx)?;
            *this.has_begun = true;
        }
        let budget = ready!(poll_budget(cx));
        if let Poll::Ready(output) = this.future.poll(cx) {
            budget.spend();
            return Poll::Ready(Ok(output));
        }
        this.watch.poll_cancelled(cx)?;
        Poll::Pending
    }
}

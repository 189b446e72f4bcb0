//! A future with task locals of its own.

use std::fmt;
use std::pin::Pin;
use std::task::{self, Poll};

use pin_project_lite::pin_project;

use super::context::Context;
use crate::is_running;

pin_project! {
    /// Runs a future with a task local set; see [`TaskLocal::scope`](super::TaskLocal::scope).
    #[must_use = "futures do nothing unless awaited"]
    pub struct Scoped<F> {
        // Dropped inside the scope.
        #[pin]
        future: Option<F>,
        context: Context,
    }

    impl<F> PinnedDrop for Scoped<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.future.is_some() && is_running() {
                this.context.run(|| this.future.set(None));
            }
        }
    }
}

impl<F> Scoped<F> {
    pub(super) fn new(context: Context, future: F) -> Self {
        Self {
            future: Some(future),
            context,
        }
    }
}

impl<F: Future> Future for Scoped<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(future) = this.future.as_pin_mut() else {
            unreachable!("the future is taken out by the drop only")
        };
        this.context.run(|| future.poll(cx))
    }
}

impl<F> fmt::Debug for Scoped<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scoped")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

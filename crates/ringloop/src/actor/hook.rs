//! A hook of an actor, as the actor's own waits see it.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

pin_project! {
    /// Says of a hook that it is being polled, as long as it is. What waits for its actor from within
    /// waits for itself.
    pub(super) struct Hook<'a, F> {
        is_in_hook: &'a Cell<bool>,
        #[pin]
        future: F,
    }
}

impl<'a, F> Hook<'a, F> {
    pub(super) fn new(is_in_hook: &'a Cell<bool>, future: F) -> Self {
        Self { is_in_hook, future }
    }
}

impl<F: Future> Future for Hook<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _inside = Inside::of(this.is_in_hook);
        this.future.poll(cx)
    }
}

/// Takes it back, also where the hook panics.
struct Inside<'a>(&'a Cell<bool>);

impl<'a> Inside<'a> {
    fn of(is_in_hook: &'a Cell<bool>) -> Self {
        is_in_hook.set(true);
        Self(is_in_hook)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

//! Two futures, both awaited.
//!
//! # Invariants
//!
//! - **I1** `left` and `right` are pinned with the join: once it is pinned they are reached through
//!   `project` only, and dropped where they lie. `Join` is `Unpin` only if both of them are, has no
//!   destructor of its own, and is not packed. The outputs are not pinned.

#![expect(
    unsafe_code,
    reason = "the two futures are fields, pinned with their owner"
)]

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Polls two futures side by side until both are done, and returns both outputs.
///
/// At each poll the left one goes first. One that is done is dropped at once, its output waits for
/// the other. Counterpart: `asyncio.gather` of two.
///
/// # Cancel safety
///
/// Cancel safe: dropped or cancelled before it completes, it had no effect of its own, and drops
/// both futures, and the output of the one that was done.
///
/// # Examples
///
/// ```
/// use ringloop_core::future::join;
/// use std::future::ready;
/// # use std::task::{Context, Waker};
///
/// # let check = std::pin::pin!(async {
/// assert_eq!(join(ready(1), ready("one")).await, (1, "one"));
/// # });
/// # assert!(check.poll(&mut Context::from_waker(Waker::noop())).is_ready());
/// ```
#[doc(alias = "gather")]
pub fn join<A: Future, B: Future>(left: A, right: B) -> Join<A, B> {
    Join {
        left: Some(left),
        right: Some(right),
        outputs: (None, None),
    }
}

/// The future of [`join()`].
///
/// # Panics
///
/// Polling panics once it has completed.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Join<A: Future, B: Future> {
    /// `None` once it is done.
    left: Option<A>,
    right: Option<B>,
    /// Of what is done, until both are.
    outputs: (Option<A::Output>, Option<B::Output>),
}

struct Projection<'a, A: Future, B: Future> {
    left: Pin<&'a mut Option<A>>,
    right: Pin<&'a mut Option<B>>,
    outputs: &'a mut (Option<A::Output>, Option<B::Output>),
}

impl<A: Future, B: Future> Join<A, B> {
    fn project(self: Pin<&mut Self>) -> Projection<'_, A, B> {
        // SAFETY: I1: the reference serves to pin its fields only; no future is moved out of it.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: I1: the field is pinned with its owner.
        let left = unsafe { Pin::new_unchecked(&mut this.left) };
        // SAFETY: I1: the field is pinned with its owner.
        let right = unsafe { Pin::new_unchecked(&mut this.right) };
        Projection {
            left,
            right,
            outputs: &mut this.outputs,
        }
    }
}

impl<A: Future, B: Future> Future for Join<A, B> {
    type Output = (A::Output, B::Output);

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let (left, right) = this.outputs;
        poll_branch(this.left.as_mut(), left, cx);
        poll_branch(this.right.as_mut(), right, cx);
        if this.left.is_some() || this.right.is_some() {
            return Poll::Pending;
        }
        match (left.take(), right.take()) {
            (Some(left), Some(right)) => Poll::Ready((left, right)),
            _ => panic!("a join is not polled after it has completed"),
        }
    }
}

/// Polls one of the futures unless it is done, and drops it when it is.
fn poll_branch<F: Future>(
    mut future: Pin<&mut Option<F>>,
    output: &mut Option<F::Output>,
    cx: &mut Context<'_>,
) {
    let Some(pending) = future.as_mut().as_pin_mut() else {
        return;
    };
    if let Poll::Ready(ready) = pending.poll(cx) {
        *output = Some(ready);
        future.set(None);
    }
}

impl<A: Future, B: Future> fmt::Debug for Join<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join")
            .field("left_done", &self.left.is_none())
            .field("right_done", &self.right.is_none())
            .finish_non_exhaustive()
    }
}

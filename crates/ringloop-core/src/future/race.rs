//! Two futures, the first of which wins.
//!
//! # Invariants
//!
//! - **I1** `left` and `right` are pinned with the race: once it is pinned they are reached through
//!   `project` only, and dropped where they lie. `Race` is `Unpin` only if both of them are, has no
//!   destructor of its own, and is not packed.

#![expect(
    unsafe_code,
    reason = "the two futures are fields, pinned with their owner"
)]

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::Either;

/// Polls two futures until one of them is done, and drops the other one.
///
/// The left one is polled first, and wins if both are done in the same poll. Counterpart:
/// `asyncio.wait(…, return_when=FIRST_COMPLETED)` with the rest cancelled by dropping it.
///
/// # Cancel safety
///
/// Cancel safe: dropped or cancelled before it completes, it had no effect of its own, and drops
/// both futures. The loser is dropped in any case, so race only futures that are cancel safe.
///
/// # Examples
///
/// ```
/// use ringloop_core::future::{Either, race};
/// use std::future::{pending, ready};
/// # use std::task::{Context, Waker};
///
/// # let check = std::pin::pin!(async {
/// assert_eq!(race(pending::<u8>(), ready("quick")).await, Either::Right("quick"));
/// assert_eq!(race(ready("left"), ready("right")).await, Either::Left("left"));
/// # });
/// # assert!(check.poll(&mut Context::from_waker(Waker::noop())).is_ready());
/// ```
#[doc(alias("select", "FIRST_COMPLETED"))]
pub fn race<A: Future, B: Future>(left: A, right: B) -> Race<A, B> {
    Race {
        left: Some(left),
        right: Some(right),
    }
}

/// The future of [`race()`].
///
/// # Panics
///
/// Polling panics once it has completed.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Race<A, B> {
    /// Both are `None` once one of them is done.
    left: Option<A>,
    right: Option<B>,
}

impl<A, B> Race<A, B> {
    fn project(self: Pin<&mut Self>) -> (Pin<&mut Option<A>>, Pin<&mut Option<B>>) {
        // SAFETY: I1: the reference serves to pin its fields only; nothing is moved out of it.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: I1: the field is pinned with its owner.
        let left = unsafe { Pin::new_unchecked(&mut this.left) };
        // SAFETY: I1: the field is pinned with its owner.
        let right = unsafe { Pin::new_unchecked(&mut this.right) };
        (left, right)
    }
}

impl<A: Future, B: Future> Future for Race<A, B> {
    type Output = Either<A::Output, B::Output>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (mut left, mut right) = self.project();
        let (Some(left_racer), Some(right_racer)) =
            (left.as_mut().as_pin_mut(), right.as_mut().as_pin_mut())
        else {
            panic!("a race is not polled after it has completed");
        };
        let winner = if let Poll::Ready(output) = left_racer.poll(cx) {
            Either::Left(output)
        } else if let Poll::Ready(output) = right_racer.poll(cx) {
            Either::Right(output)
        } else {
            return Poll::Pending;
        };
        left.set(None);
        right.set(None);
        Poll::Ready(winner)
    }
}

impl<A, B> fmt::Debug for Race<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Race")
            .field("completed", &self.left.is_none())
            .finish_non_exhaustive()
    }
}

//! A future whose output is changed on its way out.
//!
//! An `async` block would do, and would be twice as large: it keeps the place from which a future
//! was moved into the `.await`.
//!
//! # Invariants
//!
//! - **I1** `future` is pinned with the map: once it is pinned it is reached through `poll` only, and
//!   dropped where it lies. `Map` is `Unpin` only if the future is, has no destructor of its own, and is not
//!   packed. The function is not pinned.

#![expect(unsafe_code, reason = "the future is a field, pinned with its owner")]

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Applies a function to what a future gives. For the expansion of the macros.
pub fn map<F: Future, M: FnOnce(F::Output) -> T, T>(future: F, map: M) -> Map<F, M> {
    Map {
        future,
        map: Some(map),
    }
}

/// The future of [`map`].
///
/// # Panics
///
/// Polling panics once it has completed.
#[must_use = "futures do nothing unless they are awaited"]
pub struct Map<F, M> {
    future: F,
    /// `None` once it is done.
    map: Option<M>,
}

impl<F: Unpin, M> Unpin for Map<F, M> {}

impl<F: Future, M: FnOnce(F::Output) -> T, T> Future for Map<F, M> {
    type Output = T;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // SAFETY: I1: the reference serves to pin the future only; it is not moved.
        let this = unsafe { self.get_unchecked_mut() };
        let Some(map) = this.map.take() else {
            panic!("a join or race is not polled after it has completed")
        };
        // SAFETY: I1: the field is pinned with its owner.
        let future = unsafe { Pin::new_unchecked(&mut this.future) };
        match future.poll(cx) {
            Poll::Ready(output) => Poll::Ready(map(output)),
            Poll::Pending => {
                this.map = Some(map);
                Poll::Pending
            }
        }
    }
}

impl<F, M> fmt::Debug for Map<F, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map")
            .field("completed", &self.map.is_none())
            .finish_non_exhaustive()
    }
}

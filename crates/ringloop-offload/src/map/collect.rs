//! What is done with all results.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use crate::error::OffloadError;
use crate::executor::Executor;

use super::map::Map;
use super::shared::{Look, Want};

impl<E, I, T> Map<E, I, T>
where
    E: Executor,
    I: Iterator<Item: Send + 'static>,
    T: Send + 'static,
{
    /// Waits for all results.
    ///
    /// The task is woken when half of the items that were pulled ahead have been run, and at the
    /// end: a thousand results that come together cost one wake.
    ///
    /// # Errors
    ///
    /// The first error of an item, as soon as it is there, also if the results before it are not.
    /// The map is dropped then: what has not started never runs.
    ///
    /// # Panics
    ///
    /// If the iterator does.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: dropped before it completes, the map is dropped, and all results with it.
    pub async fn collect(mut self) -> Result<Vec<T>, OffloadError> {
        let mut results = Vec::new();
        poll_fn(|cx| self.poll_all(cx, &mut results)).await?;
        Ok(results)
    }

    /// Waits until `results` has all results, or one item has an error.
    fn poll_all(
        &mut self,
        cx: &mut Context<'_>,
        results: &mut Vec<T>,
    ) -> Poll<Result<(), OffloadError>> {
        let buffer = self.buffer_or(BUFFER_MIN_ALL);
        let mut has_pulled = false;
        loop {
            while let Some(outcome) = self.pop() {
                results.push(outcome?);
            }
            let room = self.room_wanted(buffer);
            let want = match self.source.has_ended() {
                false => Want::Room { buffer, room },
                true => Want::All,
            };
            match self.look(want, cx.waker()) {
                Look::Results => {}
                Look::Error(error) => return Poll::Ready(Err(error)),
                Look::Stuck => ready!(self.poll_unstick(cx)),
                Look::Room(room) if !has_pulled => {
                    has_pulled = true;
                    self.pull(room);
                }
                Look::Room(_) => {
                    // The runners are faster than the iterator. Other tasks want their turn, too.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Look::Empty => return Poll::Ready(Ok(())),
                Look::Asleep(_) => return Poll::Pending,
            }
        }
    }

    /// Waits for all results and folds them into one value, in the order of the stream.
    ///
    /// # Errors
    ///
    /// The first error of an item, when its turn comes. The map is dropped then.
    ///
    /// # Panics
    ///
    /// If the iterator does.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: as [`collect`](Self::collect).
    pub async fn fold<A>(
        mut self,
        init: A,
        mut f: impl FnMut(A, T) -> A,
    ) -> Result<A, OffloadError> {
        let mut folded = init;
        while let Some(result) = self.next().await {
            folded = f(folded, result?);
        }
        Ok(folded)
    }

    /// Waits for all results and calls `f` with each, on this task, in the order of the stream.
    ///
    /// # Errors
    ///
    /// As [`fold`](Self::fold).
    ///
    /// # Panics
    ///
    /// If the iterator does.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: as [`collect`](Self::collect).
    pub async fn for_each(self, mut f: impl FnMut(T)) -> Result<(), OffloadError> {
        self.fold((), |(), result| f(result)).await
    }
}

const BUFFER_MIN_ALL: usize = 512;

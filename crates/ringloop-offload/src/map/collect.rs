//! What is done with all results.

use std::future::poll_fn;

use crate::error::OffloadError;
use crate::executor::Executor;

use super::map::Map;

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

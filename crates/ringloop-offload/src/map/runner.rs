//! A job that runs item after item.

use std::sync::Arc;

use crate::contain::catch;
use crate::error::OffloadError;

use super::shared::Shared;

/// A runner of a map, counted in by [`Shared::recruit`].
///
/// Dropped before it has run, it counts itself out, and the consumer learns of it.
pub(super) struct Runner<I, T> {
    shared: Option<Arc<Shared<I, T>>>,
}

impl<I, T> Runner<I, T> {
    pub(super) fn new(shared: &Arc<Shared<I, T>>) -> Self {
        Self {
            shared: Some(Arc::clone(shared)),
        }
    }

    /// Runs items until none is left.
    pub(super) fn run(mut self) {
        let Some(shared) = self.shared.take() else {
            return;
        };
        let mut next = shared.take();
        while let Some((number, item)) = next {
            let outcome = catch(|| (shared.f)(item)).map_err(OffloadError::panicked);
            next = shared.finish(number, outcome);
        }
    }
}

impl<I, T> Drop for Runner<I, T> {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.lose_runner();
        }
    }
}

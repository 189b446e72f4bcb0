//! What is called with the answer before the postbox has it.

use super::abandoned::Abandoned;
use crate::panics::Panics;
use crate::slots::{SlotKey, Slots};

/// What is to be called with the answer.
pub(super) type Callback<T> = Box<dyn FnOnce(Result<&T, Abandoned>)>;
/// The same, from thread to thread.
pub(super) type RemoteCallback<T> = Box<dyn FnOnce(Result<&T, Abandoned>) + Send>;

/// Names a callback of a postbox, to take it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallbackKey(Option<SlotKey>);

impl CallbackKey {
    /// The key of a callback that was called at once, or never will be.
    pub(super) const NONE: Self = Self(None);
}

/// Callbacks in the order of their registration. Most postboxes have none.
pub(super) struct Callbacks<C>(Option<Box<Slots<C>>>);

impl<C> Callbacks<C> {
    pub(super) const fn new() -> Self {
        Self(None)
    }

    pub(super) fn push(&mut self, callback: C) -> CallbackKey {
        CallbackKey(Some(self.0.get_or_insert_default().push_back(callback)))
    }

    /// Takes a callback out, for the caller to drop.
    #[must_use = "dropping a callback runs foreign code: not under a borrow or lock"]
    pub(super) fn remove(&mut self, key: CallbackKey) -> Option<C> {
        self.0.as_mut()?.remove(&key.0?)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|callbacks| callbacks.len() == 0)
    }

    /// Takes out the one that is to be called next.
    pub(super) fn pop(&mut self) -> Option<C> {
        self.0.as_mut()?.pop_front(u64::MAX)
    }
}

impl<C> Default for Callbacks<C> {
    fn default() -> Self {
        Self::new()
    }
}

/// Calls what `next` gives until it gives nothing.
pub(super) fn call_all<T, C>(
    answer: &Result<T, Abandoned>,
    panics: &mut Panics,
    mut next: impl FnMut() -> Option<C>,
) where
    C: FnOnce(Result<&T, Abandoned>),
{
    while let Some(callback) = next() {
        panics.catch(|| callback(answer.as_ref().map_err(|&abandoned| abandoned)));
    }
}

//! Results on their way from the runners to the consumer, in order or not.

use std::collections::VecDeque;
use std::mem;

use crate::error::OffloadError;
use crate::job::Outcome;

/// Results, and in order also places for those that are not there yet.
///
/// Without order there are no such places: `slots` has only results.
pub(super) struct Results<T> {
    is_ordered: bool,
    slots: VecDeque<Option<Outcome<T>>>,
    /// In order: the number of the item that the first slot is for.
    first: u64,
    /// Slots with a result.
    len: usize,
    errors: usize,
}

/// Results that the consumer has taken, to be handed out one by one.
pub(super) struct Batch<T> {
    slots: VecDeque<Option<Outcome<T>>>,
}

impl<T> Results<T> {
    pub(super) fn new() -> Self {
        Self {
            is_ordered: true,
            slots: VecDeque::new(),
            first: 0,
            len: 0,
            errors: 0,
        }
    }

    /// Chooses the order. For a map that has not begun.
    pub(super) fn set_ordered(&mut self, is_ordered: bool) {
        debug_assert!(self.slots.is_empty() && self.first == 0);
        self.is_ordered = is_ordered;
    }

    /// Makes a place for the result of the next item.
    pub(super) fn expect_next(&mut self) {
        if self.is_ordered {
            self.slots.push_back(None);
        }
    }

    /// Puts in the result of an item that was expected.
    pub(super) fn put(&mut self, number: u64, outcome: Outcome<T>) {
        self.len += 1;
        self.errors += usize::from(outcome.is_err());
        if !self.is_ordered {
            self.slots.push_back(Some(outcome));
            return;
        }
        let slot = usize::try_from(number - self.first)
            .ok()
            .and_then(|index| self.slots.get_mut(index));
        debug_assert!(matches!(slot, Some(None)), "each item has one result");
        if let Some(slot) = slot {
            *slot = Some(outcome);
        }
    }

    /// Returns whether the next result to be yielded is there.
    pub(super) fn has_next(&self) -> bool {
        matches!(self.slots.front(), Some(Some(_)))
    }

    /// Returns whether the result of an item is an error.
    pub(super) fn has_error(&self) -> bool {
        self.errors > 0
    }

    /// Takes the first error out, whatever is before it. For a consumer who goes no further.
    pub(super) fn take_error(&mut self) -> Option<OffloadError> {
        if self.errors == 0 {
            return None;
        }
        let is_error = |slot: &&mut Option<Outcome<T>>| matches!(slot, Some(Err(_)));
        let slot = self.slots.iter_mut().find(is_error)?;
        self.errors -= 1;
        self.len -= 1;
        slot.take()?.err()
    }

    /// Moves what can be yielded to an empty batch.
    pub(super) fn take_into(&mut self, batch: &mut Batch<T>) {
        debug_assert!(batch.slots.is_empty());
        if self.len == self.slots.len() {
            self.first += self.len as u64;
            mem::swap(&mut self.slots, &mut batch.slots);
            (self.len, self.errors) = (0, 0);
            return;
        }
        while let Some(Some(outcome)) = self.slots.front_mut().map(Option::take) {
            self.slots.pop_front();
            self.first += 1;
            self.len -= 1;
            self.errors -= usize::from(outcome.is_err());
            batch.slots.push_back(Some(outcome));
        }
    }

    /// Takes everything out, for the caller to drop.
    pub(super) fn clear(&mut self) -> Batch<T> {
        (self.len, self.errors) = (0, 0);
        Batch {
            slots: mem::take(&mut self.slots),
        }
    }
}

impl<T> Batch<T> {
    pub(super) fn new() -> Self {
        Self {
            slots: VecDeque::new(),
        }
    }

    pub(super) fn pop(&mut self) -> Option<Outcome<T>> {
        // A batch that was cleared out of the results has gaps.
        while let Some(slot) = self.slots.pop_front() {
            if slot.is_some() {
                return slot;
            }
        }
        None
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

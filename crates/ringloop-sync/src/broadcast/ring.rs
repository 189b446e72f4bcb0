//! The items of a broadcast, and how many receivers stand where.
//!
//! # Invariants
//!
//! 1. Items have positions, which ascend by one. A receiver has the position of the item that is
//!    its next; the one behind the newest item if it has seen everything.
//! 2. `standing` of an item is how many receivers have it as their next, `up_to_date` how many have
//!    seen everything. One whose next was evicted stands at the oldest, whatever position it
//!    remembers.
//! 3. Somebody stands at the oldest item. Whatever changes that takes it out, and those that
//!    follow it up to the next at which somebody stands: so an item goes when the last receiver has
//!    seen it.
//!
//! Items are foreign: nothing here clones or drops one. They are handed out in their boxes, for the
//! caller to do so when the ring is not borrowed. A box is used again.

use std::collections::VecDeque;
use std::rc::Rc;

/// An item that leaves, or is to be cloned.
pub(super) type Boxed<T> = Rc<Option<T>>;

pub(super) struct Ring<T> {
    slots: VecDeque<Slot<T>>,
    /// The position of the oldest item.
    oldest: u64,
    up_to_date: usize,
    capacity: usize,
    /// Empty boxes.
    spare: Vec<Boxed<T>>,
}

struct Slot<T> {
    item: Boxed<T>,
    standing: usize,
}

/// What a receiver finds.
pub(super) enum Found<T> {
    /// It was the last one to see the item, which is out of the ring.
    Last(Boxed<T>),
    /// Others are to see it, too.
    Shared(Boxed<T>),
    /// So many items were evicted before it saw them.
    Lagged(u64),
    Nothing,
}

impl<T> Ring<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            slots: VecDeque::new(),
            oldest: 0,
            up_to_date: 0,
            capacity,
            spare: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The position behind the newest item.
    pub(super) fn end(&self) -> u64 {
        self.oldest + self.slots.len() as u64
    }

    /// How many items a receiver with this position can have.
    pub(super) fn len_from(&self, position: u64) -> usize {
        self.slots.len() - self.index(position)
    }

    /// Adds an item, for which there is a receiver. Returns the one that it evicts.
    #[inline]
    pub(super) fn push(&mut self, item: T) -> Option<Boxed<T>> {
        let mut evicted = None;
        let mut overtaken = 0;
        if self.slots.len() == self.capacity
            && let Some(slot) = self.pop()
        {
            overtaken = slot.standing;
            evicted = Some(slot.item);
        }
        let slot = Slot {
            item: self.boxed(item),
            standing: self.up_to_date,
        };
        self.up_to_date = 0;
        self.slots.push_back(slot);
        self.slots[0].standing += overtaken;
        evicted
    }

    fn boxed(&mut self, item: T) -> Boxed<T> {
        if let Some(mut spare) = self.spare.pop()
            && let Some(place) = Rc::get_mut(&mut spare)
        {
            *place = Some(item);
            return spare;
        }
        Rc::new(Some(item))
    }

    /// Keeps an empty box for later.
    #[inline]
    pub(super) fn keep(&mut self, spare: Boxed<T>) {
        debug_assert!(spare.is_none(), "the item was taken out of its box");
        if self.spare.len() < self.capacity {
            self.spare.push(spare);
        }
    }

    /// Takes the item at `position` for a receiver that stands there, and moves it on.
    #[inline]
    pub(super) fn take(&mut self, position: &mut u64) -> Found<T> {
        if *position < self.oldest {
            let lost = self.oldest - *position;
            *position = self.oldest;
            return Found::Lagged(lost);
        }
        let index = self.index(*position);
        if index == self.slots.len() {
            return Found::Nothing;
        }
        *position += 1;
        self.slots[index].standing -= 1;
        *self.standing(index + 1) += 1;
        let slot = &self.slots[index];
        if index > 0 || slot.standing > 0 {
            return Found::Shared(Rc::clone(&slot.item));
        }
        // Somebody stands at the next one (invariant 3): the receiver itself.
        self.pop()
            .map_or(Found::Nothing, |slot| Found::Last(slot.item))
    }

    /// Counts one more receiver, which stands at `position`.
    pub(super) fn enter(&mut self, position: u64) {
        let index = self.index(position);
        *self.standing(index) += 1;
    }

    /// Takes out a receiver. Returns the items that only it was to see.
    pub(super) fn leave(&mut self, position: u64) -> Vec<Boxed<T>> {
        let index = self.index(position);
        *self.standing(index) -= 1;
        let mut seen = Vec::new();
        while self.slots.front().is_some_and(|slot| slot.standing == 0) {
            seen.extend(self.pop().map(|slot| slot.item));
        }
        seen
    }

    /// Where a receiver stands.
    fn index(&self, position: u64) -> usize {
        let ahead = position.saturating_sub(self.oldest);
        usize::try_from(ahead).map_or(self.slots.len(), |index| index.min(self.slots.len()))
    }

    /// How many receivers stand there.
    fn standing(&mut self, index: usize) -> &mut usize {
        match self.slots.get_mut(index) {
            Some(slot) => &mut slot.standing,
            None => &mut self.up_to_date,
        }
    }

    fn pop(&mut self) -> Option<Slot<T>> {
        let slot = self.slots.pop_front()?;
        self.oldest += 1;
        Some(slot)
    }
}

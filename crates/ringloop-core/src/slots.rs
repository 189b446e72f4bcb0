//! Things in the order in which they came, each of which may leave from any place.
//!
//! The slots of one vector, linked by index: the occupied ones in order from front to back, and the
//! vacant ones in a chain of their own. A slot is reused, so after the list has seen its largest
//! length it allocates nothing. Each occupant gets a ticket, a number never given out twice, and a
//! [`SlotKey`] is a slot with a ticket: a key of somebody who has left hits nothing, whoever has
//! the slot by then. Tickets ascend from front to back. All operations take constant time.
//!
//! An occupant may also be stepped aside: out of the order, but in its slot until its key is removed.

/// The occupants, of type `V`, and the vacant slots.
pub(crate) struct Slots<V> {
    slots: Vec<Slot<V>>,
    /// Who is popped next.
    front: u32,
    back: u32,
    /// The first of the vacant slots, which are chained by `next`.
    vacant: u32,
    next_ticket: u64,
    len: usize,
}

/// The place of one occupant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SlotKey {
    index: u32,
    ticket: u64,
}

struct Slot<V> {
    /// `None` in a vacant slot.
    value: Option<V>,
    /// The ticket of the occupant, or of the last one in a vacant slot.
    ticket: u64,
    /// The slot itself, if its occupant has stepped aside.
    prev: u32,
    next: u32,
}

impl<V> Slots<V> {
    pub(crate) const fn new() -> Self {
        Self {
            slots: Vec::new(),
            front: NONE,
            back: NONE,
            vacant: NONE,
            next_ticket: 0,
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The ticket that is given out next: whoever is here now has a smaller one.
    pub(crate) fn end(&self) -> u64 {
        self.next_ticket
    }

    #[track_caller]
    pub(crate) fn push_back(&mut self, value: V) -> SlotKey {
        let ticket = self.next_ticket;
        let slot = Slot {
            value: Some(value),
            ticket,
            prev: self.back,
            next: NONE,
        };
        let index = self.occupy(slot);
        match self.back {
            NONE => self.front = index,
            back => self.slots[back as usize].next = index,
        }
        self.back = index;
        self.next_ticket += 1;
        self.len += 1;
        SlotKey { index, ticket }
    }

    /// Puts a slot into a vacant place, or a place of its own.
    #[track_caller]
    fn occupy(&mut self, slot: Slot<V>) -> u32 {
        if self.vacant == NONE {
            let index = u32::try_from(self.slots.len())
                .ok()
                .filter(|&index| index != NONE)
                .expect("fewer than 2^32-1 tasks wait in one list");
            self.slots.push(slot);
            return index;
        }
        let index = self.vacant;
        let place = &mut self.slots[index as usize];
        self.vacant = place.next;
        *place = slot;
        index
    }

    /// The one at the front.
    pub(crate) fn front(&self) -> Option<&V> {
        self.slots.get(self.front as usize)?.value.as_ref()
    }

    /// Has the one at the front step aside, if its ticket is below `end`: it leaves the order, and
    /// keeps its slot until its key is removed.
    #[inline]
    pub(crate) fn step_aside(&mut self, end: u64) -> Option<&mut V> {
        let index = self.front;
        // `NONE` is the index of no slot.
        let slot = self.slots.get_mut(index as usize)?;
        if slot.ticket >= end {
            return None;
        }
        let next = slot.next;
        slot.prev = index;
        self.front = next;
        match next {
            NONE => self.back = NONE,
            next => self.slots[next as usize].prev = NONE,
        }
        self.len -= 1;
        self.slots[index as usize].value.as_mut()
    }

    /// Takes out the one at the front if its ticket is below `end`.
    pub(crate) fn pop_front(&mut self, end: u64) -> Option<V> {
        let index = self.front;
        if index == NONE || self.slots[index as usize].ticket >= end {
            return None;
        }
        self.vacate(index)
    }

    pub(crate) fn remove(&mut self, key: &SlotKey) -> Option<V> {
        self.get_mut(key)?;
        self.vacate(key.index)
    }

    /// Takes one out of its slot that has stepped aside. The error is one that has not, or nobody.
    #[inline]
    pub(crate) fn remove_aside(&mut self, key: &SlotKey) -> Result<V, Option<&mut V>> {
        let index = key.index as usize;
        let slot = match self.slots.get_mut(index) {
            Some(slot) if slot.ticket == key.ticket => slot,
            Some(_) | None => return Err(None),
        };
        if slot.prev != key.index {
            return Err(slot.value.as_mut());
        }
        let Some(value) = slot.value.take() else {
            return Err(None);
        };
        slot.next = self.vacant;
        self.vacant = key.index;
        Ok(value)
    }

    pub(crate) fn get_mut(&mut self, key: &SlotKey) -> Option<&mut V> {
        self.slots
            .get_mut(key.index as usize)
            .filter(|slot| slot.ticket == key.ticket)
            .and_then(|slot| slot.value.as_mut())
    }

    /// Chains an occupant's slot to the vacant ones, unlinked.
    fn vacate(&mut self, index: u32) -> Option<V> {
        if self.slots[index as usize].prev != index {
            self.unlink(index);
        }
        let slot = &mut self.slots[index as usize];
        slot.next = self.vacant;
        self.vacant = index;
        slot.value.take()
    }

    /// Takes an occupant out of the order.
    fn unlink(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        let (prev, next) = (slot.prev, slot.next);
        slot.prev = index;
        match prev {
            NONE => self.front = next,
            prev => self.slots[prev as usize].next = next,
        }
        match next {
            NONE => self.back = prev,
            next => self.slots[next as usize].prev = prev,
        }
        self.len -= 1;
    }
}

impl<V> Default for Slots<V> {
    fn default() -> Self {
        Self::new()
    }
}

/// No slot.
const NONE: u32 = u32::MAX;

#[cfg(all(test, not(loom)))]
impl<V> Slots<V> {
    /// Follows the links both ways and compares them with the counts. Returns the number of slots.
    pub(crate) fn assert_linked(&self) -> usize {
        let mut tickets = Vec::new();
        let (mut index, mut prev) = (self.front, NONE);
        while index != NONE {
            let slot = &self.slots[index as usize];
            assert!(slot.value.is_some());
            assert_eq!(slot.prev, prev);
            tickets.push(slot.ticket);
            (prev, index) = (index, slot.next);
        }
        assert_eq!(self.back, prev);
        assert!(tickets.is_sorted(), "{tickets:?}");
        assert_eq!(tickets.len(), self.len);

        let mut vacant = 0;
        let mut index = self.vacant;
        while index != NONE {
            assert!(self.slots[index as usize].value.is_none());
            vacant += 1;
            index = self.slots[index as usize].next;
        }
        let aside = (self.slots.iter().enumerate())
            .filter(|(index, slot)| slot.value.is_some() && slot.prev as usize == *index)
            .count();
        assert_eq!(self.len + vacant + aside, self.slots.len());
        self.slots.len()
    }

    /// Whether two keys name the same slot.
    pub(crate) fn is_same_slot(left: &SlotKey, right: &SlotKey) -> bool {
        left.index == right.index
    }
}

//! Rings of slots, threaded through one vector by index.
//!
//! The first slots are the heads of the rings and stay; each of the others is in one ring, or
//! outside of all with a note that says why. To leave a ring a slot needs to know its neighbors
//! and not the ring, so leaving is the same from anywhere, and a whole ring moves in one step. The
//! vector keeps its memory: slots that are free are used again.

/// The number of a slot.
pub(super) type Slot = u32;

/// Slots in rings.
#[derive(Debug)]
pub(super) struct Links {
    links: Vec<Link>,
    /// The first of the free slots.
    free: u32,
    heads: u32,
    /// How many slots are not free.
    in_use: u32,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    /// The slot before this one in its ring, or a note.
    prev: u32,
    next: u32,
}

/// Why a slot is in no ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Note {
    /// The timer has fired; its owner has not looked yet.
    Fired = u32::MAX,
    /// The timer never fires: the scheduler is gone.
    Silent = u32::MAX - 1,
}

impl Links {
    /// Makes so many rings, which are empty.
    pub(super) fn new(heads: u32) -> Self {
        let links = (0..heads).map(|head| Link {
            prev: head,
            next: head,
        });
        Self {
            links: links.collect(),
            free: NONE,
            heads,
            in_use: 0,
        }
    }

    /// Puts a new slot at the end of a ring.
    #[inline]
    pub(super) fn push_new(&mut self, head: u32) -> Slot {
        let slot = if self.free == NONE {
            self.grow()
        } else {
            let slot = self.free;
            self.free = self.links[slot as usize].next;
            slot
        };
        self.in_use += 1;
        self.push_back(head, slot);
        slot
    }

    #[cold]
    fn grow(&mut self) -> Slot {
        let len = self.links.len();
        reserve(&mut self.links);
        let slot = u32::try_from(len).ok().filter(|slot| *slot < FREE);
        let slot = slot.expect("fewer than four billion timers");
        self.links.push(Link {
            prev: FREE,
            next: NONE,
        });
        slot
    }

    /// Puts a slot, which is in no ring, at the end of one.
    #[inline]
    pub(super) fn push_back(&mut self, head: u32, slot: Slot) {
        let last = self.links[head as usize].prev;
        self.links[slot as usize] = Link {
            prev: last,
            next: head,
        };
        self.links[last as usize].next = slot;
        self.links[head as usize].prev = slot;
    }

    /// Takes a slot out of its ring, if it is in one, and leaves a note.
    #[inline]
    pub(super) fn take_out(&mut self, slot: Slot, note: Note) {
        self.unlink(slot);
        self.links[slot as usize].prev = note as u32;
    }

    /// Gives a slot back. Returns whether it was in a ring.
    #[inline]
    pub(super) fn remove(&mut self, slot: Slot) -> bool {
        let was_linked = self.unlink(slot);
        debug_assert!(
            was_linked || self.note(slot).is_some(),
            "a slot is freed once"
        );
        self.links[slot as usize] = Link {
            prev: FREE,
            next: self.free,
        };
        self.free = slot;
        self.in_use -= 1;
        was_linked
    }

    /// Forgets the slots behind the last one in use and gives back their memory, if most are free
    /// and there are more than `kept`. Returns how many there are left.
    #[inline]
    pub(super) fn give_back_memory(&mut self, kept: usize) -> Option<usize> {
        let slots = self.links.len() - self.heads as usize;
        let is_last_free = self.links.last().is_some_and(|last| last.prev == FREE);
        if slots <= kept || slots / 4 < self.in_use as usize || !is_last_free {
            return None;
        }
        Some(self.forget_behind_last())
    }

    #[cold]
    fn forget_behind_last(&mut self) -> usize {
        let last = self.links.iter().rposition(|link| link.prev != FREE);
        // The heads are never free.
        self.links.truncate(last.map_or(0, |last| last + 1));
        self.links.shrink_to_fit();
        self.free = NONE;
        // The lowest are used first, so that the end stays free.
        for (at, link) in self.links.iter_mut().enumerate().rev() {
            if link.prev == FREE {
                link.next = self.free;
                self.free = Slot::try_from(at).unwrap_or(NONE);
            }
        }
        self.links.len() - self.heads as usize
    }

    /// Takes a slot out of its ring, if it is in one. The caller says at once where it is then.
    #[inline]
    pub(super) fn unlink(&mut self, slot: Slot) -> bool {
        let Link { prev, next } = self.links[slot as usize];
        if prev >= FREE {
            return false;
        }
        self.links[prev as usize].next = next;
        self.links[next as usize].prev = prev;
        true
    }

    /// Moves all slots of a ring into another one, which is empty.
    pub(super) fn move_all(&mut self, from: u32, to: u32) {
        debug_assert!(self.is_empty(to), "the other ring is empty");
        let Link { prev, next } = self.links[from as usize];
        if next == from {
            return;
        }
        self.links[to as usize] = Link { prev, next };
        self.links[prev as usize].next = to;
        self.links[next as usize].prev = to;
        self.links[from as usize] = Link {
            prev: from,
            next: from,
        };
    }

    #[inline]
    pub(super) fn is_empty(&self, head: u32) -> bool {
        self.links[head as usize].next == head
    }

    /// Returns the slot at the front of a ring.
    #[inline]
    pub(super) fn front(&self, head: u32) -> Option<Slot> {
        self.after(head)
    }

    /// Returns the slot after this one, unless it is the last of its ring.
    #[inline]
    pub(super) fn after(&self, slot: Slot) -> Option<Slot> {
        let next = self.links[slot as usize].next;
        (next >= self.heads).then_some(next)
    }

    /// Returns why a slot is in no ring.
    #[inline]
    pub(super) fn note(&self, slot: Slot) -> Option<Note> {
        match self.links[slot as usize].prev {
            FIRED => Some(Note::Fired),
            SILENT => Some(Note::Silent),
            _ => None,
        }
    }

    /// Returns how many slots there are, in use or free.
    #[cfg(test)]
    pub(super) fn slots_len(&self) -> usize {
        self.links.len() - self.heads as usize
    }
}

/// Makes room for one more, and an eighth more than that: timers are many and small, and doubling
/// would waste as much again.
pub(super) fn reserve<T>(items: &mut Vec<T>) {
    if items.len() == items.capacity() {
        items.reserve_exact(items.len() / 8 + 64);
    }
}

/// The end of the free list.
const NONE: u32 = u32::MAX;
const FIRED: u32 = Note::Fired as u32;
const SILENT: u32 = Note::Silent as u32;
/// The note of a free slot, and the least of the notes.
const FREE: u32 = u32::MAX - 2;

//! The deadlines of one scheduler, in order.
//!
//! A four-ary heap of small keys whose entries know their slot, and slots that know their place in
//! the heap: what fires next is at the top, and an entry leaves from anywhere in a few steps.
//! Equal deadlines come out in the order they went in. Both arrays keep their memory, so a timer
//! allocates nothing once there have been as many.

use std::mem;
use std::task::Waker;

/// Deadlines in nanoseconds since some origin, each with a waker.
#[derive(Debug)]
pub(super) struct TimerQueue {
    heap: Vec<Entry>,
    slots: Vec<Slot>,
    free: u32,
    sequence: u64,
}

/// The place of a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimerKey(u32);

#[derive(Debug, Clone, Copy)]
struct Entry {
    deadline: u64,
    sequence: u64,
    slot: u32,
}

#[derive(Debug)]
enum Slot {
    /// In the heap, at this place.
    Waiting { place: u32, waker: Waker },
    /// Fired; its owner has not looked yet.
    Fired,
    /// Never fires: the scheduler is gone.
    Silent,
    /// Free, and the next free one.
    Free { next: u32 },
}

impl TimerQueue {
    pub(super) fn new() -> Self {
        Self {
            heap: Vec::new(),
            slots: Vec::new(),
            free: NONE,
            sequence: 0,
        }
    }

    /// Files a waker under a deadline.
    pub(super) fn insert(&mut self, deadline: u64, waker: Waker) -> TimerKey {
        let place = self.heap.len();
        let waiting = Slot::Waiting {
            place: index(place),
            waker,
        };
        let slot = self.occupy(waiting);
        self.heap.push(Entry {
            deadline,
            sequence: self.sequence,
            slot,
        });
        self.sequence += 1;
        self.sift_up(place);
        TimerKey(slot)
    }

    /// Exchanges the waker of a timer that waits, if it has to be, and returns the old one.
    #[must_use = "dropping a waker may run code: not under a borrow"]
    pub(super) fn update(&mut self, key: TimerKey, new: &Waker) -> Option<Waker> {
        match &mut self.slots[key.0 as usize] {
            Slot::Waiting { waker, .. } if !waker.will_wake(new) => {
                Some(mem::replace(waker, new.clone()))
            }
            Slot::Waiting { .. } | Slot::Fired | Slot::Silent | Slot::Free { .. } => None,
        }
    }

    /// Removes a timer, fired or not. Its key is void afterwards.
    #[must_use = "dropping a waker may run code: not under a borrow"]
    pub(super) fn remove(&mut self, key: TimerKey) -> Option<Waker> {
        let freed = Slot::Free { next: self.free };
        self.free = key.0;
        match mem::replace(&mut self.slots[key.0 as usize], freed) {
            Slot::Waiting { place, waker } => {
                self.remove_at(place as usize);
                Some(waker)
            }
            Slot::Fired | Slot::Silent => None,
            Slot::Free { .. } => unreachable!("a key is removed once"),
        }
    }

    /// Takes the waker of the next timer whose deadline is at or before `now`, which has fired
    /// from then on.
    pub(super) fn pop_due(&mut self, now: u64) -> Option<Waker> {
        let first = *self.heap.first()?;
        if first.deadline > now {
            return None;
        }
        self.remove_at(0);
        match mem::replace(&mut self.slots[first.slot as usize], Slot::Fired) {
            Slot::Waiting { waker, .. } => Some(waker),
            Slot::Fired | Slot::Silent | Slot::Free { .. } => {
                unreachable!("what is in the heap waits")
            }
        }
    }

    /// Takes the wakers of all timers, which never fire.
    pub(super) fn silence(&mut self) -> Vec<Waker> {
        let entries = mem::take(&mut self.heap);
        let mut wakers = Vec::with_capacity(entries.len());
        for entry in entries {
            let slot = mem::replace(&mut self.slots[entry.slot as usize], Slot::Silent);
            if let Slot::Waiting { waker, .. } = slot {
                wakers.push(waker);
            }
        }
        wakers
    }

    /// Returns whether the timer has fired.
    pub(super) fn has_fired(&self, key: TimerKey) -> bool {
        matches!(self.slots[key.0 as usize], Slot::Fired)
    }

    /// Returns the next deadline.
    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.heap.first().map(|first| first.deadline)
    }

    /// Returns how many timers wait.
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    fn occupy(&mut self, value: Slot) -> u32 {
        if self.free == NONE {
            self.slots.push(value);
            return index(self.slots.len() - 1);
        }
        let slot = self.free;
        match mem::replace(&mut self.slots[slot as usize], value) {
            Slot::Free { next } => self.free = next,
            Slot::Waiting { .. } | Slot::Fired | Slot::Silent => {
                unreachable!("the free list has free slots")
            }
        }
        slot
    }

    /// Takes an entry out of the heap; its slot is the caller's business.
    fn remove_at(&mut self, place: usize) {
        self.heap.swap_remove(place);
        if place < self.heap.len() {
            // The entry that came here from the end may belong above or below.
            self.sift_down(place);
            self.sift_up(place);
        }
    }

    fn sift_up(&mut self, mut place: usize) {
        let entry = self.heap[place];
        while place > 0 {
            let parent = (place - 1) / WIDTH;
            if self.heap[parent].key() <= entry.key() {
                break;
            }
            self.put(place, self.heap[parent]);
            place = parent;
        }
        self.put(place, entry);
    }

    fn sift_down(&mut self, mut place: usize) {
        let entry = self.heap[place];
        loop {
            let first = place * WIDTH + 1;
            let children = first..(first + WIDTH).min(self.heap.len());
            let Some(least) = children.min_by_key(|&child| self.heap[child].key()) else {
                break;
            };
            if entry.key() <= self.heap[least].key() {
                break;
            }
            self.put(place, self.heap[least]);
            place = least;
        }
        self.put(place, entry);
    }

    /// Writes an entry, and the place into its slot.
    fn put(&mut self, at: usize, entry: Entry) {
        self.heap[at] = entry;
        if let Slot::Waiting { place, .. } = &mut self.slots[entry.slot as usize] {
            *place = index(at);
        }
    }
}

impl Entry {
    fn key(&self) -> (u64, u64) {
        (self.deadline, self.sequence)
    }
}

fn index(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than four billion timers")
}

/// How many children a place of the heap has.
const WIDTH: usize = 4;
/// The end of the free list.
const NONE: u32 = u32::MAX;

#[cfg(test)]
mod tests;

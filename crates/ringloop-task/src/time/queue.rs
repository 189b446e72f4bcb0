//! The deadlines of one scheduler, in order: a wheel without ticks.
//!
//! A timer comes into the ring of *arrivals*, where it waits for the next look at the clock: a
//! duration becomes a deadline then, so that the clock is read once for all timers of a turn, and
//! a timer that is dropped within the turn has cost next to nothing. From there it goes to a
//! bucket of the wheel, by the highest digit, to the base of 64, in which its deadline differs from
//! the wheel's *position*. A bucket of the level 0 is one nanosecond, one of level *n* is 64^n of
//! them. When the position comes to a bucket of a higher level, its timers are *spread* over the
//! levels below. So every timer gets to level 0 before it fires, or is the only one of its bucket:
//! deadlines are exact. Whatever the number of timers, coming and leaving takes a few steps.
//!
//! Timers with equal deadlines are in the same ring at any time, in the order of their making.
//! This holds while a bucket is being spread in several steps, because a timer that comes into
//! its range meanwhile goes to the end of what is left.

use std::task::Waker;
use std::time::Duration;

use super::links::{self, Links, Note, Slot};

/// Deadlines in nanoseconds since some origin, each with a waker.
#[derive(Debug)]
pub(super) struct TimerQueue {
    links: Links,
    /// Of the slot `HEADS + n`.
    timers: Vec<Timer>,
    /// What is not later than this is in the buckets of level 0, or has fired.
    position: u64,
    /// The last instant of the bucket that is being spread.
    spread_end: u64,
    /// Which buckets of a level may have timers.
    occupied: [u64; LEVELS as usize],
    len: usize,
}

/// The place of a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TimerKey(Slot);

#[derive(Debug)]
struct Timer {
    due: Due,
    /// `None` before the first poll of its owner, and when it has fired.
    waker: Option<Waker>,
}

/// When a timer is due: a deadline, or, with the highest bit, a duration of an arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due(u64);

/// How much may be done in one turn of the loop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    /// Timers that fire.
    pub(super) fired: u32,
    /// Timers that are spread.
    pub(super) moved: u32,
}

/// A bucket of the wheel.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    level: u32,
    head: u32,
    /// Its first instant.
    start: u64,
}

impl Due {
    /// At a deadline. `None` if it is centuries away.
    #[inline]
    pub(super) fn at(since_origin: Duration) -> Option<Self> {
        let nanos = since_origin.as_secs().checked_mul(1_000_000_000)?;
        let nanos = nanos.checked_add(u64::from(since_origin.subsec_nanos()))?;
        (nanos < RELATIVE).then_some(Self(nanos))
    }

    /// A duration after the next look at the clock. `None` if it is centuries.
    #[inline]
    pub(super) fn after(duration: Duration) -> Option<Self> {
        Self::at(duration).map(|due| Self(due.0 | RELATIVE))
    }

    fn deadline(self, now: u64) -> u64 {
        if self.0 < RELATIVE {
            self.0
        } else {
            // What is beyond the end is filed under the end, which nobody lives to see.
            now.saturating_add(self.0 - RELATIVE).min(RELATIVE - 1)
        }
    }
}

impl TimerQueue {
    pub(super) fn new() -> Self {
        Self {
            links: Links::new(HEADS),
            timers: Vec::new(),
            position: 0,
            spread_end: 0,
            occupied: [0; LEVELS as usize],
            len: 0,
        }
    }

    /// Adds a timer without a waker, to be [admitted](Self::admit) at the next look at the clock.
    #[inline]
    pub(super) fn insert(&mut self, due: Due) -> TimerKey {
        let slot = self.links.push_new(ARRIVALS);
        match self.timers.get_mut(index(slot)) {
            // A free one has no waker.
            Some(free) => free.due = due,
            None => self.grow(due),
        }
        self.len += 1;
        TimerKey(slot)
    }

    #[cold]
    fn grow(&mut self, due: Due) {
        links::reserve(&mut self.timers);
        self.timers.push(Timer { due, waker: None });
    }

    /// Returns whether timers have come since the last look at the clock.
    #[inline]
    pub(super) fn has_arrivals(&self) -> bool {
        !self.links.is_empty(ARRIVALS)
    }

    /// Takes the arrivals in: what time is it?
    pub(super) fn admit(&mut self, now: u64) {
        while let Some(slot) = self.links.front(ARRIVALS) {
            let due = &mut self.timers[index(slot)].due;
            let deadline = due.deadline(now);
            *due = Due(deadline);
            self.links.unlink(slot);
            self.place(slot, deadline);
        }
    }

    /// Returns whether a timer that waits would wake somebody else, or nobody.
    #[inline]
    pub(super) fn lacks(&self, key: TimerKey, waker: &Waker) -> bool {
        let known = &self.timers[index(key.0)].waker;
        self.links.note(key.0).is_none()
            && !known.as_ref().is_some_and(|known| known.will_wake(waker))
    }

    /// Sets the waker of a timer.
    ///
    /// # Errors
    ///
    /// The waker, if the timer has fired or never fires.
    #[inline]
    pub(super) fn arm(&mut self, key: TimerKey, waker: Waker) -> Result<Option<Waker>, Waker> {
        if self.links.note(key.0).is_some() {
            return Err(waker);
        }
        Ok(self.timers[index(key.0)].waker.replace(waker))
    }

    /// Gives a timer another deadline. Returns whether it waits: one that has fired, or whose
    /// scheduler is gone, does not.
    pub(super) fn refile(&mut self, key: TimerKey, due: Due) -> bool {
        if !self.links.unlink(key.0) {
            return false;
        }
        self.links.push_back(ARRIVALS, key.0);
        self.timers[index(key.0)].due = due;
        true
    }

    /// Removes a timer, fired or not. Its key is void afterwards.
    #[inline]
    #[must_use = "dropping a waker may run code: not under a borrow"]
    pub(super) fn remove(&mut self, key: TimerKey) -> Option<Waker> {
        if self.links.remove(key.0) {
            self.len -= 1;
        }
        self.timers[index(key.0)].waker.take()
    }

    /// Takes the waker of the next timer whose deadline is at or before `now`, which has fired
    /// from then on. The inner `None` is a timer that nobody has polled yet.
    ///
    /// Arrivals have been admitted. Stops, with `None`, also when the budget is used up.
    pub(super) fn pop_due(&mut self, now: u64, budget: &mut Budget) -> Option<Option<Waker>> {
        while budget.fired > 0 {
            if let Some(slot) = self.links.front(SPREAD) {
                budget.moved = budget.moved.checked_sub(1)?;
                self.links.unlink(slot);
                self.place_in_wheel(slot, self.timers[index(slot)].due.0);
                continue;
            }
            let bucket = self.earliest().filter(|bucket| bucket.start <= now);
            let Some(bucket) = bucket else {
                self.position = self.position.max(now);
                return None;
            };
            self.position = bucket.start;
            let first = self.links.front(bucket.head)?;
            let is_single = self.links.after(first).is_none();
            let due = self.timers[index(first)].due.0;
            if bucket.level == 0 || (is_single && due <= now) {
                self.position = self.position.max(due);
                budget.fired -= 1;
                self.links.take_out(first, Note::Fired);
                self.len -= 1;
                return Some(self.timers[index(first)].waker.take());
            }
            self.spread_end = self.position | low_bits(DIGIT * bucket.level);
            self.links.move_all(bucket.head, SPREAD);
        }
        None
    }

    /// Returns when to look again: the next deadline, or, where that would take a long search,
    /// an instant before it.
    ///
    /// Arrivals have been admitted.
    pub(super) fn next_look(&mut self) -> Option<u64> {
        if !self.links.is_empty(SPREAD) {
            return Some(self.position);
        }
        let bucket = self.earliest()?;
        if bucket.level == 0 {
            return Some(bucket.start);
        }
        let mut least = u64::MAX;
        let mut next = self.links.front(bucket.head);
        for _ in 0..SEARCHED_MAX {
            let Some(slot) = next else {
                return Some(least);
            };
            least = least.min(self.timers[index(slot)].due.0);
            next = self.links.after(slot);
        }
        Some(bucket.start)
    }

    /// Gives back the memory of a crowd of timers that is gone.
    #[inline]
    pub(super) fn give_back_memory(&mut self, kept: usize) {
        if let Some(left) = self.links.give_back_memory(kept) {
            self.timers.truncate(left);
            self.timers.shrink_to_fit();
        }
    }

    /// Takes the wakers of all timers, which never fire.
    ///
    /// Arrivals have been admitted, so that the deadlines are known.
    pub(super) fn silence(&mut self) -> Vec<Waker> {
        let mut wakers = Vec::with_capacity(self.len);
        for head in 0..HEADS {
            while let Some(slot) = self.links.front(head) {
                self.links.take_out(slot, Note::Silent);
                wakers.extend(self.timers[index(slot)].waker.take());
            }
        }
        self.len = 0;
        wakers
    }

    /// Returns whether the timer has fired.
    #[inline]
    pub(super) fn has_fired(&self, key: TimerKey) -> bool {
        self.links.note(key.0) == Some(Note::Fired)
    }

    /// Returns the deadline of a timer that has been admitted.
    pub(super) fn deadline(&self, key: TimerKey) -> u64 {
        self.timers[index(key.0)].due.0
    }

    /// Returns how many timers wait.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Puts a timer, which is in no ring, where it belongs.
    fn place(&mut self, slot: Slot, deadline: u64) {
        if deadline <= self.spread_end && !self.links.is_empty(SPREAD) {
            self.links.push_back(SPREAD, slot);
        } else {
            self.place_in_wheel(slot, deadline);
        }
    }

    fn place_in_wheel(&mut self, slot: Slot, deadline: u64) {
        // What is late on arrival is due at once.
        let deadline = deadline.max(self.position);
        let differing = deadline ^ self.position;
        let level = (differing | 1).ilog2() / DIGIT;
        let digit = ((deadline >> (level * DIGIT)) & DIGIT_MASK) as u32;
        self.occupied[level as usize] |= 1 << digit;
        self.links.push_back(head(level, digit), slot);
    }

    /// Returns the first bucket that has timers. All that is in later ones is later.
    fn earliest(&mut self) -> Option<Bucket> {
        for (level, occupied) in (0..).zip(&mut self.occupied) {
            while *occupied != 0 {
                let digit = occupied.trailing_zeros();
                let head = head(level, digit);
                if !self.links.is_empty(head) {
                    let around = self.position & !low_bits(DIGIT * (level + 1));
                    let start = around | (u64::from(digit) << (DIGIT * level));
                    return Some(Bucket { level, head, start });
                }
                *occupied &= *occupied - 1;
            }
        }
        None
    }
}

/// Returns the ring of a bucket.
fn head(level: u32, digit: u32) -> u32 {
    (level << DIGIT) | digit
}

/// Returns where the timer of a slot is.
fn index(slot: Slot) -> usize {
    (slot - HEADS) as usize
}

fn low_bits(count: u32) -> u64 {
    match 1_u64.checked_shl(count) {
        Some(bit) => bit - 1,
        None => u64::MAX,
    }
}

/// How many bits a digit has.
const DIGIT: u32 = 6;
const DIGIT_MASK: u64 = (1 << DIGIT) - 1;
/// How many digits a deadline has.
const LEVELS: u32 = 11;
/// The ring of the timers that have not been admitted.
const ARRIVALS: u32 = LEVELS << DIGIT;
/// The ring of the timers that are being spread.
const SPREAD: u32 = ARRIVALS + 1;
const HEADS: u32 = SPREAD + 1;
/// The mark of a duration. Deadlines are less.
const RELATIVE: u64 = 1 << 63;
/// How many timers of a bucket are looked at for the least deadline.
const SEARCHED_MAX: u32 = 16;

#[cfg(test)]
mod tests;

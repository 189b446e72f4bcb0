//! Which members of a collection are to be looked at: those that were woken, in that order.
//!
//! Each member has a waker of its own, which puts it on a queue, once, and wakes whoever polls the
//! collection. So a poll of the collection costs as much as there is to do, however many members
//! it has. Wakers go to any thread, therefore the lock; no code of others runs under it.
//!
//! A member is a place with a ticket. The place is used again, the ticket never, so a waker of a
//! member that has left wakes nobody.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The members of a collection that were woken.
#[derive(Debug, Default)]
pub(super) struct ReadyQueue {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Key>,
    places: Vec<Place>,
    vacant: Vec<u32>,
    /// Who polls the collection; `None` also once it was woken.
    parent: Option<Waker>,
    next_ticket: u64,
}

#[derive(Debug)]
struct Place {
    /// That of the member, or `NOBODY`.
    ticket: u64,
    is_queued: bool,
}

/// A member of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    index: u32,
    ticket: u64,
}

impl Key {
    /// Returns the place in the collection.
    pub(super) fn index(self) -> usize {
        self.index as usize
    }

    /// Returns a number that is greater than those of members that came before.
    pub(super) fn ticket(self) -> u64 {
        self.ticket
    }
}

impl ReadyQueue {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Finds a place for a member, and makes its waker. The place is the length so far, or one that
    /// was left.
    pub(super) fn enter(self: &Arc<Self>) -> (Key, Waker) {
        let key = self.state().enter();
        let member = Member {
            queue: Arc::clone(self),
            key,
        };
        (key, Waker::from(Arc::new(member)))
    }

    /// Gives back the place of a member.
    pub(super) fn leave(&self, key: Key) {
        let mut state = self.state();
        if let Some(place) = state.place(key) {
            place.ticket = NOBODY;
            state.vacant.push(key.index);
        }
    }

    /// Puts a member on the queue, unless it is there or gone, and wakes whoever polls.
    pub(super) fn wake(&self, key: Key) {
        let mut state = self.state();
        let Some(place) = state.place(key).filter(|place| !place.is_queued) else {
            return;
        };
        place.is_queued = true;
        state.queue.push_back(key);
        let parent = state.parent.take();
        drop(state);
        if let Some(parent) = parent {
            parent.wake();
        }
    }

    /// Begins a poll: files the waker of whoever polls, and returns how many members are queued.
    pub(super) fn begin(&self, parent: &Waker) -> usize {
        let mut state = self.state();
        let is_filed = |filed: &Waker| filed.will_wake(parent);
        if state.parent.as_ref().is_some_and(is_filed) {
            return state.queue.len();
        }
        drop(state);
        let parent = parent.clone();
        state = self.state();
        let old = state.parent.replace(parent);
        let queued = state.queue.len();
        drop(state);
        drop(old);
        queued
    }

    /// Takes the member off the queue that was woken first.
    pub(super) fn pop(&self) -> Option<Key> {
        let mut state = self.state();
        loop {
            let key = state.queue.pop_front()?;
            if let Some(place) = state.place(key) {
                place.is_queued = false;
                return Some(key);
            }
        }
    }

    /// Ends a poll that may have left members on the queue: then it has to be repeated.
    pub(super) fn end(&self) {
        let mut state = self.state();
        if state.queue.is_empty() {
            return;
        }
        let parent = state.parent.take();
        drop(state);
        if let Some(parent) = parent {
            parent.wake();
        }
    }

    /// Lets go of all members, and of whoever polls.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.queue = VecDeque::new();
        state.places = Vec::new();
        let parent = state.parent.take();
        drop(state);
        drop(parent);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of others runs under the lock, so a poisoned state is a consistent one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self) -> Key {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let place = Place {
            ticket,
            is_queued: false,
        };
        let index = match self.vacant.pop() {
            Some(index) => {
                self.places[index as usize] = place;
                index
            }
            None => {
                let index = u32::try_from(self.places.len());
                self.places.push(place);
                index.expect("a collection has fewer than four billion members")
            }
        };
        Key { index, ticket }
    }

    /// Returns the place of a member that has not left.
    fn place(&mut self, key: Key) -> Option<&mut Place> {
        self.places
            .get_mut(key.index())
            .filter(|place| place.ticket == key.ticket)
    }
}

/// The waker of one member.
struct Member {
    queue: Arc<ReadyQueue>,
    key: Key,
}

impl Wake for Member {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.queue.wake(self.key);
    }
}

/// The ticket of a place that nobody has.
const NOBODY: u64 = u64::MAX;

#[cfg(all(test, not(loom)))]
mod tests;

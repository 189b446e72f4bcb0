//! What the ends of a broadcast share.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use ringloop_core::WaitList;

use super::error::{SendError, TryRecvError};
use super::ring::{Boxed, Found, Ring};

pub(super) struct Shared<T> {
    ring: RefCell<Ring<T>>,
    pub(super) senders: Cell<usize>,
    receivers: Cell<usize>,
    is_closed: Cell<bool>,
    /// Receivers that have seen everything.
    pub(super) waiting: WaitList,
}

impl<T> Shared<T> {
    /// Makes the middle of a broadcast with one sender.
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            ring: RefCell::new(Ring::new(capacity)),
            senders: Cell::new(1),
            receivers: Cell::new(0),
            is_closed: Cell::new(false),
            waiting: WaitList::new(),
        }
    }

    /// Sends an item to all receivers. Returns how many there are.
    #[inline]
    pub(super) fn send(&self, item: T) -> Result<usize, SendError<T>> {
        let receivers = self.receivers.get();
        if self.is_closed.get() || receivers == 0 {
            return Err(SendError::new(item));
        }
        let evicted = self.ring.borrow_mut().push(item);
        if !self.waiting.is_empty() {
            self.waiting.wake_all();
        }
        if let Some(boxed) = evicted {
            drop(self.unbox(boxed));
        }
        Ok(receivers)
    }

    /// Takes the item out of its box, unless somebody further up in this call is cloning it.
    #[inline]
    fn unbox(&self, mut boxed: Boxed<T>) -> Option<T> {
        let item = Rc::get_mut(&mut boxed)?.take();
        self.ring.borrow_mut().keep(boxed);
        item
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.get()
    }

    pub(super) fn close(&self) {
        if !self.is_closed.replace(true) {
            self.waiting.wake_all();
        }
    }

    /// Counts a receiver that has seen everything. Returns its position.
    pub(super) fn subscribe(&self) -> u64 {
        let position = self.ring.borrow().end();
        self.enter(position);
        position
    }

    pub(super) fn enter(&self, position: u64) {
        self.receivers.set(self.receivers.get() + 1);
        self.ring.borrow_mut().enter(position);
    }

    pub(super) fn leave(&self, position: u64) {
        self.receivers.set(self.receivers.get() - 1);
        let unseen = self.ring.borrow_mut().leave(position);
        drop(unseen);
    }

    pub(super) fn len_from(&self, position: u64) -> usize {
        self.ring.borrow().len_from(position)
    }

    /// Whether a receiver with this position has nothing to wait for.
    pub(super) fn has_news(&self, position: u64) -> bool {
        self.is_closed.get() || self.len_from(position) > 0
    }

    pub(super) fn statistics(&self) -> BroadcastStatistics {
        let ring = self.ring.borrow();
        BroadcastStatistics {
            len: ring.len(),
            capacity: ring.capacity(),
            senders: self.senders.get(),
            receivers: self.receivers.get(),
            waiting: self.waiting.len(),
            is_closed: self.is_closed.get(),
        }
    }
}

impl<T: Clone> Shared<T> {
    #[inline]
    pub(super) fn try_recv(&self, position: &mut u64) -> Result<T, TryRecvError> {
        let found = self.ring.borrow_mut().take(position);
        let boxed = match found {
            Found::Last(mut boxed) => {
                let Some(place) = Rc::get_mut(&mut boxed) else {
                    return Ok(clone(&boxed));
                };
                let item = place.take();
                self.ring.borrow_mut().keep(boxed);
                return Ok(item.expect("a box in the ring is full"));
            }
            Found::Shared(boxed) => boxed,
            Found::Lagged(lost) => return Err(TryRecvError::Lagged(lost)),
            Found::Nothing if self.is_closed.get() => return Err(TryRecvError::Closed),
            Found::Nothing => return Err(TryRecvError::Empty),
        };
        Ok(clone(&boxed))
    }
}

/// Clones the item, which is foreign code: nothing is borrowed.
fn clone<T: Clone>(boxed: &Boxed<T>) -> T {
    Option::clone(boxed).expect("a box in the ring is full")
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.statistics().fmt(f)
    }
}

/// How things stand with a broadcast; see [`Sender::statistics`](super::Sender::statistics).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BroadcastStatistics {
    /// How many items somebody is to see yet.
    pub len: usize,
    /// How many are kept.
    pub capacity: usize,
    /// How many senders there are.
    pub senders: usize,
    /// How many receivers there are.
    pub receivers: usize,
    /// How many of them wait.
    pub waiting: usize,
    /// Whether nothing can be sent any more.
    pub is_closed: bool,
}

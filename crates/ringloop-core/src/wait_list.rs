//! Tasks of one thread that wait, first come, first served.
//!
//! The waiters are kept in [`Slots`]: in order, each under a key that hits nothing once its waiter
//! was woken, and without allocating after the list has seen its largest number of waiters.
//!
//! Wakers are foreign code. They are cloned, woken and dropped only while the slots are not
//! borrowed, so a waker may use the list it was taken from. The list does not know what the tasks
//! wait for; that is the business of the lock, queue or event which owns it.

use std::cell::RefCell;
use std::fmt;
use std::mem;
use std::panic::RefUnwindSafe;
use std::task::Waker;

use crate::panics::Panics;
use crate::slots::{SlotKey, Slots};

/// A queue of waiting tasks on one thread, woken first come, first served.
///
/// All operations take constant time, except [`wake_all`](Self::wake_all). Counterpart: the deque
/// of waiters inside asyncio's locks and queues; Trio's `ParkingLot`.
///
/// A wait is a future that pushes its waker at its first poll, keeps the [`WaitKey`], updates the
/// waker at later polls, and removes the key when it is dropped. A removal that says `false` was
/// woken already: if the wake handed something over, pass it on with
/// [`wake_one`](Self::wake_one).
///
/// # Examples
///
/// ```
/// use ringloop_core::WaitList;
/// use std::task::Waker;
///
/// let list = WaitList::new();
/// let first = list.push(Waker::noop());
/// let second = list.push(Waker::noop());
///
/// assert!(list.wake_one());
/// assert!(!list.remove(first)); // It was woken.
/// assert!(list.remove(second)); // It was still waiting.
/// assert!(!list.wake_one());
/// ```
#[derive(Default)]
pub struct WaitList {
    slots: RefCell<Slots<Waker>>,
}

impl WaitList {
    /// Makes an empty list. Allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            slots: RefCell::new(Slots::new()),
        }
    }

    /// Adds a waiter at the back.
    ///
    /// The key has to be given back with [`remove`](Self::remove), also after the wake; otherwise
    /// a waiter that is gone may use up a wake.
    ///
    /// # Panics
    ///
    /// If 2³²−1 tasks wait already.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn push(&self, waker: &Waker) -> WaitKey {
        let waker = waker.clone();
        WaitKey(self.slots.borrow_mut().push_back(waker))
    }

    /// Replaces the waker of a waiter, which keeps its place. Returns whether it is waiting still.
    ///
    /// Costs no clone if the waker is the same. A future calls this at every poll after the first,
    /// because it may be polled by another task than before.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::task::Waker;
    /// let list = ringloop_core::WaitList::new();
    /// let key = list.push(Waker::noop());
    /// assert!(list.update(&key, Waker::noop()));
    /// list.wake_one();
    /// assert!(!list.update(&key, Waker::noop()));
    /// # list.remove(key);
    /// ```
    pub fn update(&self, key: &WaitKey, waker: &Waker) -> bool {
        match self.slots.borrow_mut().get_mut(&key.0) {
            None => return false,
            Some(known) if known.will_wake(waker) => return true,
            Some(_) => {}
        }
        let mut waker = waker.clone();
        // Cloning is foreign code, after which the waiter may have been woken.
        let mut slots = self.slots.borrow_mut();
        let waiting = match slots.get_mut(&key.0) {
            Some(known) => {
                mem::swap(known, &mut waker);
                true
            }
            None => false,
        };
        drop(slots);
        drop(waker);
        waiting
    }

    /// Takes a waiter out. Returns whether it was waiting still; if not, it was woken or taken.
    ///
    /// Takes the key, so that a waiter cannot be removed twice. A key of another list names
    /// nothing here, or somebody else.
    pub fn remove(&self, key: WaitKey) -> bool {
        let waker = self.slots.borrow_mut().remove(&key.0);
        waker.is_some()
    }

    /// Returns whether the waiter has not been woken, taken or removed.
    #[must_use]
    pub fn is_waiting(&self, key: &WaitKey) -> bool {
        self.slots.borrow_mut().get_mut(&key.0).is_some()
    }

    /// Takes the waiter at the front off the list and returns its waker, for the caller to wake.
    ///
    /// For callers that hold a borrow of their own which has to end before a waker runs.
    ///
    /// # Examples
    ///
    /// ```
    /// # use ringloop_core::WaitList;
    /// # use std::cell::RefCell;
    /// # use std::task::Waker;
    /// let queue = RefCell::new((Vec::new(), WaitList::new()));
    /// let key = queue.borrow().1.push(Waker::noop());
    ///
    /// let waiter = {
    ///     let (items, waiters) = &mut *queue.borrow_mut();
    ///     items.push("item");
    ///     waiters.take_one()
    /// };
    /// if let Some(waiter) = waiter {
    ///     waiter.wake(); // May borrow the queue.
    /// }
    /// # assert!(!queue.borrow().1.remove(key));
    /// ```
    #[must_use = "the waiter at the front sleeps on unless its waker is woken"]
    pub fn take_one(&self) -> Option<Waker> {
        self.slots.borrow_mut().pop_front(u64::MAX)
    }

    /// Wakes the waiter at the front. Returns whether there was one.
    pub fn wake_one(&self) -> bool {
        match self.take_one() {
            Some(waker) => {
                waker.wake();
                true
            }
            None => false,
        }
    }

    /// Wakes all waiters, from front to back.
    ///
    /// Those who begin to wait meanwhile, because a waker runs code that does so, are not woken.
    /// A waker that panics keeps no other from being woken; the first panic goes on afterwards.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::task::Waker;
    /// let list = ringloop_core::WaitList::new();
    /// let keys = [list.push(Waker::noop()), list.push(Waker::noop())];
    /// list.wake_all();
    /// assert!(list.is_empty());
    /// for key in keys {
    ///     assert!(!list.remove(key));
    /// }
    /// ```
    pub fn wake_all(&self) {
        let end = self.slots.borrow().end();
        let mut panics = Panics::default();
        // A `while let` on the borrow itself would keep it alive while the waker runs.
        while let Some(waker) = self.pop_before(end) {
            panics.catch(|| waker.wake());
        }
        panics.resume();
    }

    /// Returns how many tasks wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.borrow().len()
    }

    /// Returns whether no task waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn pop_before(&self, end: u64) -> Option<Waker> {
        self.slots.borrow_mut().pop_front(end)
    }
}

// Wakers run outside of the borrow, so no panic of theirs finds a list half changed.
impl RefUnwindSafe for WaitList {}

impl fmt::Debug for WaitList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitList")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// A place in one [`WaitList`].
///
/// Neither `Clone` nor `Copy`: who holds it is the waiter.
#[derive(Debug)]
#[must_use = "a waiter that is not removed uses up a wake"]
pub struct WaitKey(SlotKey);

#[cfg(all(test, not(loom)))]
mod tests;

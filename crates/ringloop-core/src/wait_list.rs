//! Tasks of one thread that wait, first come, first served.
//!
//! The waiters are kept in [`Slots`]: in order, each under a key, and without allocating after the
//! list has seen its largest number of waiters. A waiter that was woken keeps its slot, out of the
//! order, until it comes with its key for what it was granted.
//!
//! Wakers are foreign code. They are cloned, woken and dropped only while the slots are not
//! borrowed, so a waker may use the list it was taken from. A waker that panics as it is dropped
//! with the place of somebody who leaves has that panic end here: the owner of the list may have to
//! pass something on. The list does not know what the tasks wait for; that is the business of the
//! lock, queue or event which owns it.

mod locked;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem;
use std::panic::RefUnwindSafe;
use std::task::{Poll, Waker};

use crate::panics::{Panics, drop_quietly};
use crate::slots::{SlotKey, Slots};

/// A queue of waiting tasks on one thread, woken first come, first served.
///
/// All operations take constant time, except [`wake_all`](Self::wake_all). Counterpart: the deque
/// of waiters inside asyncio's locks and queues; Trio's `ParkingLot`.
///
/// A wait is a future that pushes its waker at its first poll, keeps the [`WaitKey`], updates the
/// waker at later polls, and gives the key back when it is done or dropped. A
/// [`remove`](Self::remove) that says `false` was woken already: if the wake handed something over,
/// pass it on with [`wake_one`](Self::wake_one).
///
/// A waiter may bring a value with it: how much it wants, or the item that it has to offer
/// ([`push_with`](Self::push_with)). Who wakes it leaves another in its place
/// ([`grant_one`](Self::grant_one)), which the waiter takes with its key
/// ([`take`](Self::take)).
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
#[doc(alias = "ParkingLot")]
pub struct WaitList<T = ()> {
    slots: RefCell<Slots<Waiter<T>>>,
    /// How many wait. Beside the slots, so that a lock that nobody waits for need not borrow them.
    len: Cell<usize>,
}

struct Waiter<T> {
    /// `None` once it was woken.
    waker: Option<Waker>,
    /// What it brought; once it was woken, what it was granted.
    value: T,
}

impl WaitList {
    /// Adds a waiter at the back.
    ///
    /// The key has to be given back with [`remove`](Self::remove), also after the wake; otherwise
    /// its place is never used again.
    ///
    /// # Panics
    ///
    /// If 2³²−1 tasks wait already.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn push(&self, waker: &Waker) -> WaitKey {
        self.push_with((), waker)
    }
}

impl<T> WaitList<T> {
    /// Makes an empty list. Allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            slots: RefCell::new(Slots::new()),
            len: Cell::new(0),
        }
    }

    /// Adds a waiter at the back, with what it brings.
    ///
    /// The key has to be given back with [`take`](Self::take) or [`remove`](Self::remove), also
    /// after the wake; otherwise the place and what is in it are kept as long as the list.
    ///
    /// # Panics
    ///
    /// If 2³²−1 tasks wait already.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::task::Waker;
    /// let list = ringloop_core::WaitList::new();
    /// let wants_three = list.push_with(3, Waker::noop());
    /// let wants_one = list.push_with(1, Waker::noop());
    ///
    /// assert_eq!(list.front(), Some(3));
    /// let (wanted, waker) = list.grant_one(0).unwrap();
    /// assert_eq!(wanted, 3);
    /// waker.wake();
    ///
    /// assert_eq!(list.take(wants_three), Ok(0)); // What it was granted.
    /// assert_eq!(list.take(wants_one), Err(1)); // What it brought.
    /// ```
    pub fn push_with(&self, value: T, waker: &Waker) -> WaitKey {
        self.push_owned(value, waker.clone())
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
    pub fn update(&self, key: &WaitKey, new: &Waker) -> bool {
        match waker(&mut self.slots.borrow_mut(), key) {
            None => return false,
            Some(known) if known.will_wake(new) => return true,
            Some(_) => {}
        }
        let mut new = new.clone();
        // Cloning is foreign code, after which the waiter may have been woken.
        let mut slots = self.slots.borrow_mut();
        let waiting = match waker(&mut slots, key) {
            Some(known) => {
                mem::swap(known, &mut new);
                true
            }
            None => false,
        };
        drop(slots);
        drop(new);
        waiting
    }

    /// Takes a waiter out. Returns whether it was waiting still; if not, it was woken.
    ///
    /// Takes the key, so that a waiter cannot be removed twice. A key of another list names
    /// nothing here, or somebody else.
    pub fn remove(&self, key: WaitKey) -> bool {
        let waker = self.vacate(&key).and_then(|waiter| waiter.waker);
        let was_waiting = waker.is_some();
        drop_quietly(waker);
        was_waiting
    }

    /// Takes a waiter out, and what it was granted.
    ///
    /// # Errors
    ///
    /// Gives back what the waiter brought if it was waiting still.
    ///
    /// # Panics
    ///
    /// May panic if the key is of another list.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[track_caller]
    pub fn take(&self, key: WaitKey) -> Result<T, T> {
        self.withdraw(key).map_err(|(value, waker)| {
            drop_quietly(waker);
            value
        })
    }

    /// Takes a waiter out that was woken, and what it was granted; else replaces its waker.
    ///
    /// [`update`](Self::update) and [`take`](Self::take) in one, for a future that is polled. Of a
    /// waiter that is out, the key names nothing any more.
    ///
    /// # Panics
    ///
    /// May panic if the key is of another list, or of a waiter that is out.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::task::{Poll, Waker};
    /// let list = ringloop_core::WaitList::new();
    /// let key = list.push_with(3, Waker::noop());
    /// assert_eq!(list.poll_take(&key, Waker::noop()), Poll::Pending);
    /// let (_wanted, waker) = list.grant_one(0).unwrap();
    /// waker.wake();
    /// assert_eq!(list.poll_take(&key, Waker::noop()), Poll::Ready(0));
    /// assert!(!list.remove(key));
    /// ```
    #[track_caller]
    #[inline]
    pub fn poll_take(&self, key: &WaitKey, new: &Waker) -> Poll<T> {
        match self.slots.borrow_mut().remove_aside(&key.0) {
            Ok(woken) => return Poll::Ready(woken.value),
            Err(Some(Waiter {
                waker: Some(known), ..
            })) if known.will_wake(new) => return Poll::Pending,
            Err(_) => {}
        }
        self.poll_take_anew(key, new)
    }

    /// The same with another waker than before.
    #[track_caller]
    #[cold]
    fn poll_take_anew(&self, key: &WaitKey, new: &Waker) -> Poll<T> {
        if self.update(key, new) {
            return Poll::Pending;
        }
        // Cloning is foreign code, which may have woken it.
        let woken = self.vacate(key);
        Poll::Ready(woken.expect("the key is of this list").value)
    }

    /// Returns whether the waiter has not been woken or removed.
    #[must_use]
    pub fn is_waiting(&self, key: &WaitKey) -> bool {
        waker(&mut self.slots.borrow_mut(), key).is_some()
    }

    /// Returns a copy of what the waiter at the front has brought.
    #[must_use]
    pub fn front(&self) -> Option<T>
    where
        T: Copy,
    {
        self.slots.borrow().front().map(|waiter| waiter.value)
    }

    /// Takes the waiter at the front off the list, and leaves it `value`. Returns what it had
    /// brought, and its waker, for the caller to wake.
    ///
    /// # Errors
    ///
    /// Gives `value` back if nobody waits.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline]
    pub fn grant_one(&self, value: T) -> Result<(T, Waker), T> {
        let mut slots = self.slots.borrow_mut();
        let Some(waiter) = slots.step_aside(u64::MAX) else {
            return Err(value);
        };
        self.len.set(self.len.get() - 1);
        match waiter.waker.take() {
            Some(waker) => Ok((mem::replace(&mut waiter.value, value), waker)),
            None => Err(value),
        }
    }

    /// Takes the waiter at the front off the list and returns its waker, for the caller to wake.
    ///
    /// It keeps what it has brought. For callers that hold a borrow of their own which has to end
    /// before a waker runs.
    ///
    /// # Examples
    ///
    /// ```
    /// # use ringloop_core::WaitList;
    /// # use std::cell::{Cell, RefCell};
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
        self.take_before(u64::MAX)
    }

    /// Wakes the waiter at the front, which keeps what it has brought. Returns whether there was one.
    pub fn wake_one(&self) -> bool {
        match self.take_one() {
            Some(waker) => {
                waker.wake();
                true
            }
            None => false,
        }
    }

    /// Wakes all waiters, from front to back. They keep what they have brought.
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
        while let Some(waker) = self.take_before(end) {
            panics.catch(|| waker.wake());
        }
        panics.resume();
    }

    /// Returns how many tasks wait.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.len.get()
    }

    /// Returns whether no task waits.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn take_before(&self, end: u64) -> Option<Waker> {
        let mut slots = self.slots.borrow_mut();
        let waiter = slots.step_aside(end)?;
        self.len.set(self.len.get() - 1);
        waiter.waker.take()
    }

    fn vacate(&self, key: &WaitKey) -> Option<Waiter<T>> {
        let mut slots = self.slots.borrow_mut();
        let waiter = slots.remove(&key.0);
        self.len.set(slots.len());
        waiter
    }
}

/// The waker of a waiter that was not woken.
fn waker<'a, T>(slots: &'a mut Slots<Waiter<T>>, key: &WaitKey) -> Option<&'a mut Waker> {
    slots.get_mut(&key.0)?.waker.as_mut()
}

impl<T> Default for WaitList<T> {
    fn default() -> Self {
        Self::new()
    }
}

// Wakers run outside of the borrow, so no panic of theirs finds a list half changed.
impl<T> RefUnwindSafe for WaitList<T> {}

impl<T> fmt::Debug for WaitList<T> {
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

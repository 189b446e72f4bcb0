//! The operations of a list that is kept behind a lock.
//!
//! A list that threads share is in a mutex with what they wait for. Under that lock no foreign code
//! may run, so here wakers are handed over and handed back instead of being cloned and dropped.

use std::mem;
use std::task::Waker;

use super::{WaitKey, WaitList, Waiter, waker};

impl<T> WaitList<T> {
    /// Adds a waiter at the back, with what it brings, and takes its waker.
    ///
    /// As [`push_with`](Self::push_with), without cloning: for a list behind a lock.
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
    /// use ringloop_core::WaitList;
    /// use std::sync::Mutex;
    /// use std::task::Waker;
    ///
    /// let list = Mutex::new(WaitList::new());
    /// let waker = Waker::noop().clone(); // Before the lock is taken.
    /// let key = list.lock().unwrap().push_owned(3, waker);
    ///
    /// let left = list.lock().unwrap().withdraw(key);
    /// let (brought, waker) = left.unwrap_err();
    /// assert_eq!(brought, 3);
    /// drop(waker); // The lock is free again.
    /// ```
    pub fn push_owned(&self, value: T, waker: Waker) -> WaitKey {
        let waiter = Waiter {
            waker: Some(waker),
            value,
        };
        let mut slots = self.slots.borrow_mut();
        let key = slots.push_back(waiter);
        self.len.set(slots.len());
        WaitKey(key)
    }

    /// Returns whether the waiter is waiting still, with a waker that wakes the same task as `new`.
    #[must_use]
    pub fn is_waiting_with(&self, key: &WaitKey, new: &Waker) -> bool {
        waker(&mut self.slots.borrow_mut(), key).is_some_and(|known| known.will_wake(new))
    }

    /// Replaces the waker of a waiter, which keeps its place, and returns the one that it had.
    ///
    /// As [`update`](Self::update), without dropping: for a list behind a lock.
    ///
    /// # Errors
    ///
    /// Gives `new` back if the waiter was woken or removed.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn exchange(&self, key: &WaitKey, new: Waker) -> Result<Waker, Waker> {
        match waker(&mut self.slots.borrow_mut(), key) {
            Some(known) => Ok(mem::replace(known, new)),
            None => Err(new),
        }
    }

    /// Takes a waiter out, and what it was granted.
    ///
    /// As [`take`](Self::take), without dropping a waker: for a list behind a lock.
    ///
    /// # Errors
    ///
    /// What the waiter brought, and its waker, if it was waiting still.
    ///
    /// # Panics
    ///
    /// May panic if the key is of another list.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[track_caller]
    pub fn withdraw(&self, key: WaitKey) -> Result<T, (T, Waker)> {
        let waiter = self.vacate(&key);
        let Waiter { waker, value } = waiter.expect("the key is of this list");
        match waker {
            Some(waker) => Err((value, waker)),
            None => Ok(value),
        }
    }
}

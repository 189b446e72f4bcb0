//! The life of one value on one thread: the states of a postbox, and its cells.
//!
//! The two ends share a `Delivery` by plain cells. A cell is emptied or filled between two steps of
//! foreign code and never lent to it, so whatever a waker, a callback or a destructor does with
//! either end, it finds a state of the table.
//!
//! # States
//!
//! | from | event | to | then |
//! |---|---|---|---|
//! | `Awaited` | callback registered | `Listened` | |
//! | `Awaited` | value set, setter dropped | `Set`, `Abandoned` | wakes the waiter |
//! | `Listened` | value set, setter dropped | `Calling` | calls the callbacks with the answer |
//! | `Calling` | no callback left | `Set`, `Abandoned` | wakes the waiter |
//! | `Awaited`, `Listened`, `Calling` | postbox dropped | `Closed` | drops waker and callbacks |
//! | `Set`, `Abandoned` | answer taken | `Taken` | |
//! | `Set` | postbox dropped | `Closed` | drops the value |
//! | `Abandoned`, `Taken` | postbox dropped | `Closed` | |
//!
//! In all other states a value that is set goes back to the setter's caller, also that of a setter
//! that found `Closed` after its callbacks.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::task::{Poll, Waker};

use super::abandoned::Abandoned;
use super::callbacks::{Callback, CallbackKey, Callbacks, call_all};
use crate::panics::Panics;

/// What the two ends share.
///
/// The cells are empty when the postbox has gone, and nobody fills them afterwards. So the last end
/// to go has nothing to drop.
pub(super) struct Delivery<T> {
    state: Cell<State>,
    /// The waker of the last poll, until the waiter is woken.
    waker: ManuallyDrop<Cell<Option<Waker>>>,
    /// The value, in the state `Set`.
    value: ManuallyDrop<Cell<Option<T>>>,
    /// Empty in the state `Awaited`, and once the answer is there.
    callbacks: ManuallyDrop<Cell<Callbacks<Callback<T>>>>,
}

/// Where the value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(super) enum State {
    /// Not set yet.
    Awaited,
    /// Not set yet, and there are callbacks, or were.
    Listened,
    /// On its way through the callbacks.
    Calling,
    /// Set and not taken yet.
    Set,
    /// The setter is gone, and the waiter does not know it yet.
    Abandoned,
    /// The waiter has its answer.
    Taken,
    /// The postbox is gone.
    Closed,
}

impl State {
    /// Whether the answer is still to come.
    #[inline]
    fn is_pending(self) -> bool {
        self <= Self::Calling
    }
}

impl<T> Delivery<T> {
    pub(super) const fn new() -> Self {
        Self {
            state: Cell::new(State::Awaited),
            waker: ManuallyDrop::new(Cell::new(None)),
            value: ManuallyDrop::new(Cell::new(None)),
            callbacks: ManuallyDrop::new(Cell::new(Callbacks::new())),
        }
    }

    pub(super) fn state(&self) -> State {
        self.state.get()
    }

    /// Puts the value in and wakes the waiter, or gives it back.
    #[inline]
    pub(super) fn set(&self, value: T) -> Result<(), T> {
        match self.state.get() {
            State::Awaited => {
                self.value.set(Some(value));
                self.state.set(State::Set);
                self.wake();
                Ok(())
            }
            State::Listened => self.call_and_set(value),
            State::Calling | State::Set | State::Abandoned | State::Taken | State::Closed => {
                Err(value)
            }
        }
    }

    #[cold]
    fn call_and_set(&self, value: T) -> Result<(), T> {
        let answer = Ok(value);
        let mut panics = self.call(&answer);
        let outcome = match answer {
            Ok(value) if self.state.get() == State::Closed => Err(value),
            Ok(value) => {
                self.value.set(Some(value));
                self.state.set(State::Set);
                panics.catch(|| self.wake());
                Ok(())
            }
            Err(Abandoned) => Ok(()),
        };
        panics.resume();
        outcome
    }

    /// Notes that the setter is gone and wakes the waiter. Without effect after a set.
    #[inline]
    pub(super) fn abandon(&self) {
        match self.state.get() {
            State::Awaited => {
                self.state.set(State::Abandoned);
                self.wake();
            }
            State::Listened => self.call_and_abandon(),
            State::Calling | State::Set | State::Abandoned | State::Taken | State::Closed => {}
        }
    }

    #[cold]
    fn call_and_abandon(&self) {
        let mut panics = self.call(&Err(Abandoned));
        if self.state.get() == State::Calling {
            self.state.set(State::Abandoned);
            panics.catch(|| self.wake());
        }
        panics.resume();
    }

    /// Calls the callbacks, also those that are registered meanwhile.
    fn call(&self, answer: &Result<T, Abandoned>) -> Panics {
        self.state.set(State::Calling);
        let mut panics = Panics::default();
        call_all(answer, &mut panics, || self.with_callbacks(Callbacks::pop));
        // The list is empty, and has room that is not needed any more.
        drop(self.callbacks.take());
        panics
    }

    #[inline]
    fn wake(&self) {
        if let Some(waiter) = self.waker.take() {
            waiter.wake();
        }
    }

    /// Closes the postbox and drops what it held.
    #[inline]
    pub(super) fn close(&self) {
        let before = self.state.replace(State::Closed);
        if before == State::Set {
            drop(self.value.take());
        } else if before.is_pending() {
            // Both are taken out before one is dropped.
            drop((self.waker.take(), self.callbacks.take()));
        }
    }

    /// Takes the answer, if there is one.
    #[inline]
    pub(super) fn take(&self) -> Option<Result<T, Abandoned>> {
        match self.state.get() {
            State::Set => {
                self.state.set(State::Taken);
                self.value.take().map(Ok)
            }
            State::Abandoned => {
                self.state.set(State::Taken);
                Some(Err(Abandoned))
            }
            State::Awaited | State::Listened | State::Calling | State::Taken | State::Closed => {
                None
            }
        }
    }

    /// Takes the answer, or registers `waker` for it. `None` if the answer was taken before.
    #[inline]
    pub(super) fn poll(&self, waker: &Waker) -> Option<Poll<Result<T, Abandoned>>> {
        if self.state.get().is_pending() {
            return Some(self.register(waker));
        }
        self.take().map(Poll::Ready)
    }

    #[inline]
    fn register(&self, waker: &Waker) -> Poll<Result<T, Abandoned>> {
        if let Some(known) = self.waker.take() {
            let is_known = known.will_wake(waker);
            self.waker.set(Some(known));
            if is_known {
                return Poll::Pending;
            }
        }
        let clone = waker.clone();
        // Cloning is foreign code, and so is dropping. It may bring the answer, and it may panic:
        // so the answer is taken after all of that.
        let unneeded = if self.state.get().is_pending() {
            self.waker.replace(Some(clone))
        } else {
            Some(clone)
        };
        drop(unneeded);
        if self.state.get().is_pending() {
            return Poll::Pending;
        }
        self.take().map_or(Poll::Pending, Poll::Ready)
    }

    /// Shows the answer without taking it. For the one who has the postbox alone, so that nobody
    /// looks for the value while it is out.
    pub(super) fn peek<R>(&self, look: impl FnOnce(Result<&T, Abandoned>) -> R) -> Option<R> {
        match self.state.get() {
            State::Set => {
                let shown = Shown {
                    home: &self.value,
                    value: self.value.take(),
                };
                shown.value.as_ref().map(|value| look(Ok(value)))
            }
            State::Abandoned => Some(look(Err(Abandoned))),
            State::Awaited | State::Listened | State::Calling | State::Taken | State::Closed => {
                None
            }
        }
    }

    /// Registers a callback, or gives it back if there is or was an answer.
    pub(super) fn listen(&self, callback: Callback<T>) -> Result<CallbackKey, Callback<T>> {
        match self.state.get() {
            State::Awaited => self.state.set(State::Listened),
            State::Listened | State::Calling => {}
            State::Set | State::Abandoned | State::Taken | State::Closed => return Err(callback),
        }
        Ok(self.with_callbacks(|callbacks| callbacks.push(callback)))
    }

    /// Takes a callback out, for the caller to drop.
    pub(super) fn unlisten(&self, key: CallbackKey) -> Option<Callback<T>> {
        self.with_callbacks(|callbacks| callbacks.remove(key))
    }

    /// Lends the callbacks to code that is not foreign.
    fn with_callbacks<R>(&self, act: impl FnOnce(&mut Callbacks<Callback<T>>) -> R) -> R {
        let mut callbacks = self.callbacks.take();
        let result = act(&mut callbacks);
        self.callbacks.set(callbacks);
        result
    }
}

/// A value that is being looked at, and goes back also when that panics.
struct Shown<'a, T> {
    home: &'a Cell<Option<T>>,
    value: Option<T>,
}

impl<T> Drop for Shown<'_, T> {
    fn drop(&mut self) {
        self.home.set(self.value.take());
    }
}

#[cfg(all(test, not(loom)))]
mod tests;

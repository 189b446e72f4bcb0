//! The life of one value on its way from a setter to a waiter.
//!
//! The state machine behind both kinds of postbox. A transition runs no foreign code: whom it has
//! to wake and what it has to drop it returns. The functions at the end, written against [`Lend`],
//! do that waking and dropping after the lock or the borrow that guards the state has ended.
//!
//! # States
//!
//! | from | event | to | the caller then |
//! |---|---|---|---|
//! | `Awaited` | value set | `Set` | wakes the waiter |
//! | `Awaited` | setter dropped | `Abandoned` | wakes the waiter |
//! | `Awaited` | postbox dropped | `Closed` | drops the waker |
//! | `Set` | value taken | `Taken` | returns the value |
//! | `Set` | postbox dropped | `Closed` | drops the value |
//! | `Abandoned` | error taken | `Taken` | returns the error |
//! | `Closed` | value set | `Closed` | returns the value to the setter's caller |

use std::cell::RefCell;
use std::fmt;
use std::mem;
use std::sync::PoisonError;
use std::task::{Poll, Waker};

use crate::loom::Mutex;

/// The error of a value that will never come: its setter was dropped without setting it.
///
/// # Examples
///
/// ```
/// use ringloop_core::postbox;
///
/// let (setter, mut postbox) = postbox::<u32>();
/// drop(setter);
/// let abandoned = postbox.try_take().unwrap().unwrap_err();
/// assert_eq!(abandoned.to_string(), "the setter was dropped without setting a value");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "there is nothing to add, and callers match on it"
)]
pub struct Abandoned;

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the setter was dropped without setting a value")
    }
}

impl std::error::Error for Abandoned {}

/// Where the value is.
pub(crate) enum Delivery<T> {
    /// Not set yet. Holds the waker of the waiter's last poll, if it was polled.
    Awaited(Option<Waker>),
    /// Set and not taken yet.
    Set(T),
    /// The setter is gone and the waiter does not know it yet.
    Abandoned,
    /// The waiter has its answer.
    Taken,
    /// The postbox is gone.
    Closed,
}

impl<T> Delivery<T> {
    pub(crate) const fn new() -> Self {
        Self::Awaited(None)
    }

    /// Puts the value in and returns whom to wake, or gives it back if the postbox is gone.
    fn set(&mut self, value: T) -> Result<Option<Waker>, T> {
        match self {
            Self::Awaited(waker) => {
                let waker = waker.take();
                *self = Self::Set(value);
                Ok(waker)
            }
            Self::Set(_) | Self::Abandoned | Self::Taken | Self::Closed => Err(value),
        }
    }

    /// Notes that the setter is gone and returns whom to wake. Without effect after a set.
    #[must_use]
    fn abandon(&mut self) -> Option<Waker> {
        match self {
            Self::Awaited(waker) => {
                let waker = waker.take();
                *self = Self::Abandoned;
                waker
            }
            Self::Set(_) | Self::Abandoned | Self::Taken | Self::Closed => None,
        }
    }

    /// Notes that the postbox is gone and returns what it held, to be dropped by the caller.
    #[must_use]
    fn close(&mut self) -> Self {
        mem::replace(self, Self::Closed)
    }

    /// Takes the answer, if there is one.
    fn take(&mut self) -> Option<Result<T, Abandoned>> {
        match self {
            Self::Set(_) => match mem::replace(self, Self::Taken) {
                Self::Set(value) => Some(Ok(value)),
                Self::Awaited(_) | Self::Abandoned | Self::Taken | Self::Closed => None,
            },
            Self::Abandoned => {
                *self = Self::Taken;
                Some(Err(Abandoned))
            }
            Self::Awaited(_) | Self::Taken | Self::Closed => None,
        }
    }

    /// Returns what a poll with `waker` has to do.
    fn poll(&mut self, waker: &Waker) -> Polled<T> {
        match self {
            Self::Awaited(Some(known)) if known.will_wake(waker) => Polled::Pending,
            Self::Awaited(_) => Polled::Register,
            Self::Set(_) | Self::Abandoned => self.take().map_or(Polled::Finished, Polled::Ready),
            Self::Taken | Self::Closed => Polled::Finished,
        }
    }

    /// Keeps `waker` if the value is still awaited. Returns the waker that is not needed.
    #[must_use]
    fn register(&mut self, waker: Waker) -> Option<Waker> {
        match self {
            Self::Awaited(known) => known.replace(waker),
            Self::Set(_) | Self::Abandoned | Self::Taken | Self::Closed => Some(waker),
        }
    }

    fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }

    /// The state's name, for `Debug`.
    fn name(&self) -> &'static str {
        match self {
            Self::Awaited(_) => "Awaited",
            Self::Set(_) => "Set",
            Self::Abandoned => "Abandoned",
            Self::Taken => "Taken",
            Self::Closed => "Closed",
        }
    }
}

/// What a poll found.
enum Polled<T> {
    Ready(Result<T, Abandoned>),
    /// No answer, and the waiter's waker is registered.
    Pending,
    /// No answer, and a clone of the waiter's waker has to be registered.
    Register,
    /// The answer was taken before.
    Finished,
}

/// What lends a delivery to one transition at a time.
pub(crate) trait Lend<T> {
    /// Runs one transition under the lock or borrow.
    fn lend<R>(&self, transition: impl FnOnce(&mut Delivery<T>) -> R) -> R;
}

impl<T> Lend<T> for RefCell<Delivery<T>> {
    fn lend<R>(&self, transition: impl FnOnce(&mut Delivery<T>) -> R) -> R {
        transition(&mut self.borrow_mut())
    }
}

impl<T> Lend<T> for Mutex<Delivery<T>> {
    fn lend<R>(&self, transition: impl FnOnce(&mut Delivery<T>) -> R) -> R {
        // No foreign code runs under the lock, so a poisoned one still holds a valid state.
        transition(&mut self.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sets the value and wakes the waiter, or gives the value back if the postbox is gone.
pub(crate) fn set<T>(shared: &impl Lend<T>, value: T) -> Result<(), T> {
    if let Some(waiter) = shared.lend(|delivery| delivery.set(value))? {
        waiter.wake();
    }
    Ok(())
}

/// Tells the waiter that no value will come, unless one was set.
pub(crate) fn abandon<T>(shared: &impl Lend<T>) {
    if let Some(waiter) = shared.lend(Delivery::abandon) {
        waiter.wake();
    }
}

/// Closes the postbox and drops what it held.
pub(crate) fn close<T>(shared: &impl Lend<T>) {
    drop(shared.lend(Delivery::close));
}

/// Takes the answer, if there is one.
pub(crate) fn take<T>(shared: &impl Lend<T>) -> Option<Result<T, Abandoned>> {
    shared.lend(Delivery::take)
}

/// Takes the answer, or registers `waker` for it. `None` if the answer was taken before.
pub(crate) fn poll<T>(shared: &impl Lend<T>, waker: &Waker) -> Option<Poll<Result<T, Abandoned>>> {
    match shared.lend(|delivery| delivery.poll(waker)) {
        Polled::Ready(answer) => return Some(Poll::Ready(answer)),
        Polled::Pending => return Some(Poll::Pending),
        Polled::Finished => return None,
        Polled::Register => {}
    }
    let clone = waker.clone();
    let unneeded = shared.lend(|delivery| delivery.register(clone));
    drop(unneeded);
    // An answer that came before the registration woke nobody, so look again.
    Some(take(shared).map_or(Poll::Pending, Poll::Ready))
}

/// Whether the postbox is gone.
pub(crate) fn is_closed<T>(shared: &impl Lend<T>) -> bool {
    shared.lend(|delivery| delivery.is_closed())
}

/// The name of the delivery's state.
pub(crate) fn name<T>(shared: &impl Lend<T>) -> &'static str {
    shared.lend(|delivery| delivery.name())
}

#[cfg(all(test, not(loom)))]
mod tests;

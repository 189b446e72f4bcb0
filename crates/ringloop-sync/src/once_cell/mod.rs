//! A value that is made once, when it is first needed, by one of the tasks of one thread.
//!
//! | file | what it has |
//! |---|---|
//! | `raw` | whose turn it is to initialize, and who waits |
//! | `enter` | the futures that wait for a value, or for a turn to make it |

mod enter;
mod raw;

pub use enter::OnceCellWait;

use std::cell;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;

use self::enter::{Enter, Entered};
use self::raw::Turns;
use crate::host::Host;

/// A value that is made once, when it is first needed, by one of the tasks of one thread.
///
/// One initializer runs at a time, and those who come meanwhile wait for its value. If it fails,
/// panics, or is cancelled or dropped, the next in line runs the initializer that it has brought
/// itself, first come, first served.
///
/// An initializer that asks its own cell for the value waits for itself, for ever;
/// [`get`](Self::get) says that there is none yet.
/// To share the cell, put it into an [`Rc`](std::rc::Rc). Counterpart: [`std::cell::OnceCell`], with
/// initializers that may wait; asyncio has none.
///
/// # Examples
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// use ringloop_sync::OnceCell;
///
/// let config = OnceCell::new();
/// # let mut cx = Context::from_waker(Waker::noop());
/// # let mut task = pin!(async {
/// assert_eq!(config.get(), None);
/// let value = config.get_or_init(async || "read from a file").await;
/// assert_eq!(*value, "read from a file");
/// let value = config.get_or_init(async || "read again").await;
/// assert_eq!(*value, "read from a file");
/// # });
/// # assert!(task.as_mut().poll(&mut cx).is_ready());
/// ```
pub struct OnceCell<T, H> {
    turns: Turns,
    host: PhantomData<fn() -> H>,
    value: cell::OnceCell<T>,
}

impl<T, H: Host> OnceCell<T, H> {
    /// Makes a cell without a value.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            turns: Turns::new(),
            host: PhantomData,
            value: cell::OnceCell::new(),
        }
    }

    /// Returns the value, if there is one.
    #[inline]
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// Returns the value, if there is one, which nobody else can use meanwhile.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// Sets the value.
    ///
    /// # Errors
    ///
    /// Gives it back if there is a value already, or an initializer runs. To replace a value,
    /// [`take`](Self::take) the old one first.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    ///
    /// # Examples
    ///
    /// ```
    /// let cell = ringloop_sync::OnceCell::new();
    /// assert_eq!(cell.set(1), Ok(()));
    /// assert_eq!(cell.set(2), Err(2));
    /// assert_eq!(cell.into_inner(), Some(1));
    /// ```
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        if self.turns.taken_since().is_some() {
            return Err(value);
        }
        self.value.set(value)?;
        self.turns.end();
        Ok(())
    }

    /// Returns the value, and makes it if there is none: with `init`, unless another initializer
    /// runs already and succeeds.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait for another initializer was cancelled. A
    /// cancellation while `init` runs is the business of what it waits for.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled, it leaves its place in the line. If `init` was running, it
    /// is dropped, and the next in line makes the value.
    #[track_caller]
    pub fn get_or_init<'a, F, Fut>(
        &'a self,
        init: F,
    ) -> impl Future<Output = H::Outcome<&'a T>> + use<'a, T, H, F, Fut>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let made = self.make(Location::caller(), || async {
            Ok::<T, Infallible>(init().await)
        });
        async {
            H::outcome(made.await.map(|made| {
                let Ok(value) = made;
                value
            }))
        }
    }

    /// The same with an initializer that may fail: then there is still no value, and the next in
    /// line makes one.
    ///
    /// # Errors
    ///
    /// That of `init`, inside of what [`get_or_init`](Self::get_or_init) says of a cancelled wait.
    ///
    /// # Cancel safety
    ///
    /// As [`get_or_init`](Self::get_or_init).
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use std::task::{Context, Poll, Waker};
    /// # let mut cx = Context::from_waker(Waker::noop());
    /// # let mut task = pin!(async {
    /// let cell = ringloop_sync::OnceCell::new();
    /// assert_eq!(cell.get_or_try_init(async || Err("no network")).await, Err("no network"));
    /// assert_eq!(cell.get_or_try_init(async || Ok::<_, &str>(5)).await, Ok(&5));
    /// # });
    /// # assert!(task.as_mut().poll(&mut cx).is_ready());
    /// ```
    #[track_caller]
    pub fn get_or_try_init<'a, F, Fut, E>(
        &'a self,
        init: F,
    ) -> impl Future<Output = H::Outcome<Result<&'a T, E>>> + use<'a, T, H, F, Fut, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let made = self.make(Location::caller(), init);
        async { H::outcome(made.await) }
    }

    async fn make<F, Fut, E>(
        &self,
        at: &'static Location<'static>,
        init: F,
    ) -> Result<Result<&T, E>, H::Cancelled>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let turn = match Enter::new(self, at).await? {
            Entered::Value(value) => return Ok(Ok(value)),
            Entered::Turn(turn) => turn,
        };
        Ok(init().await.map(|value| turn.set(value)))
    }

    /// Wakes those who wait: all for the value, or the first to make it.
    fn end_turn(&self) {
        match self.get() {
            Some(_) => self.turns.end(),
            None => self.turns.pass_on(),
        }
    }

    /// For somebody who has just gone into the line: cloning the waker, which is foreign code, may
    /// have ended the turn that was to be waited for.
    fn look_again(&self) {
        if self.turns.taken_since().is_none() {
            self.end_turn();
        }
    }

    /// Waits until there is a value, without making one.
    ///
    /// Counterpart: `std::sync::OnceLock::wait`.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait was cancelled.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    pub fn wait(&self) -> OnceCellWait<'_, T, H> {
        OnceCellWait::new(self, Location::caller())
    }

    /// Takes the value out; the cell has none afterwards.
    pub fn take(&mut self) -> Option<T> {
        self.value.take()
    }

    /// Returns the value, if there is one.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Returns how things stand.
    #[must_use]
    pub fn statistics(&self) -> OnceCellStatistics {
        OnceCellStatistics {
            is_set: self.value.get().is_some(),
            is_initializing: self.turns.taken_since().is_some(),
            waiting: self.turns.waiters.len() + self.turns.onlookers.len(),
        }
    }
}

impl<T, H: Host> Default for OnceCell<T, H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, H: Host> From<T> for OnceCell<T, H> {
    fn from(value: T) -> Self {
        Self {
            value: value.into(),
            ..Self::new()
        }
    }
}

impl<T: fmt::Debug, H> fmt::Debug for OnceCell<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("OnceCell");
        match self.value.get() {
            Some(value) => debug.field("value", value),
            None => debug.field("value", &format_args!("<unset>")),
        };
        if let Some(at) = self.turns.taken_since() {
            debug.field("initialized_at", &format_args!("{at}"));
        }
        let waiting = self.turns.waiters.len() + self.turns.onlookers.len();
        debug.field("waiting", &waiting).finish()
    }
}

/// How things stand with a cell; see [`OnceCell::statistics`](crate::hosted::OnceCell::statistics).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OnceCellStatistics {
    /// Whether there is a value.
    pub is_set: bool,
    /// Whether an initializer runs, or is about to.
    pub is_initializing: bool,
    /// How many wait for the value.
    pub waiting: usize,
}

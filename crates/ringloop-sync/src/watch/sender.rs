//! The end of a watch that sets the value.

use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::panic::Location;
use std::rc::Rc;

use super::error::SendError;
use super::receiver::Receiver;
use super::shared::{Ref, Shared, WatchStatistics};
use super::wait::Closed;
use crate::host::Host;

/// Makes a sender and a receiver of the latest value, which is `initial` at first.
///
/// For the host of one's choice; see [`watch::channel`](crate::watch::channel).
pub fn channel<T, H: Host>(initial: T) -> (Sender<T, H>, Receiver<T, H>) {
    let shared = Rc::new(Shared::new(initial));
    (
        Sender {
            shared: Rc::clone(&shared),
            host: PhantomData,
        },
        Receiver::of_new(shared),
    )
}

/// The end of a watch that sets the value. Clonable: every sender may.
///
/// Senders never wait. When the last one is gone, the receivers see the last value and then an
/// error. Counterpart: `tokio::sync::watch::Sender`.
///
/// # Panics
///
/// All methods that set or show the value do so if they are called from within a closure that looks
/// at it or changes it, and those that set it as long as there is a [`Ref`].
///
/// # Examples
///
/// ```
/// let (sender, receiver) = ringloop_sync::watch::channel(vec![1]);
/// sender.send_modify(|list| list.push(2));
/// assert!(!sender.send_if_modified(|list| list.is_empty()));
/// assert_eq!(*receiver.borrow(), [1, 2]);
/// assert_eq!(sender.send_replace(vec![]), [1, 2]);
/// ```
#[must_use = "a watch without a sender is closed"]
pub struct Sender<T, H> {
    shared: Rc<Shared<T>>,
    host: PhantomData<fn() -> H>,
}

impl<T, H: Host> Sender<T, H> {
    /// Sets the value, for all receivers to see.
    ///
    /// # Errors
    ///
    /// Gives the value back if there is no receiver; [`send_replace`](Self::send_replace) does not
    /// mind.
    ///
    /// # Panics
    ///
    /// If somebody looks at the value.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[track_caller]
    #[inline]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        if !self.shared.has_receivers() {
            return Err(SendError::new(value));
        }
        drop(self.send_replace(value));
        Ok(())
    }

    /// Sets the value, and returns the one before. Needs no receiver.
    ///
    /// # Panics
    ///
    /// If somebody looks at the value.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[track_caller]
    #[inline]
    pub fn send_replace(&self, value: T) -> T {
        let before = mem::replace(&mut *self.shared.borrow_mut(), value);
        self.shared.publish();
        before
    }

    /// Changes the value where it is, for all receivers to see. Needs no receiver.
    ///
    /// # Panics
    ///
    /// If somebody looks at the value, or `modify` panics: then nobody is told of the change.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[track_caller]
    pub fn send_modify(&self, modify: impl FnOnce(&mut T)) {
        modify(&mut self.shared.borrow_mut());
        self.shared.publish();
    }

    /// Changes the value where it is, and tells the receivers if `modify` says that it has. Returns
    /// what it says.
    ///
    /// # Panics
    ///
    /// If somebody looks at the value, or `modify` panics: then nobody is told of the change.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[track_caller]
    pub fn send_if_modified(&self, modify: impl FnOnce(&mut T) -> bool) -> bool {
        let is_modified = modify(&mut self.shared.borrow_mut());
        if is_modified {
            self.shared.publish();
        }
        is_modified
    }

    /// Looks at the value.
    ///
    /// # Panics
    ///
    /// Within a closure that changes the value.
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        self.shared.borrow(self.shared.version())
    }

    /// Makes a receiver, which counts the value of now as seen.
    pub fn subscribe(&self) -> Receiver<T, H> {
        self.shared.receivers.set(self.shared.receivers.get() + 1);
        Receiver::of_new(Rc::clone(&self.shared))
    }

    /// Waits until there is no receiver.
    ///
    /// # Errors
    ///
    /// On a [host](Host) with cancellation, why the wait was cancelled.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    pub fn closed(&self) -> Closed<'_, T, H> {
        Closed::new(&self.shared, Location::caller())
    }

    /// Returns whether there is no receiver.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        !self.shared.has_receivers()
    }

    /// Returns how many receivers there are.
    #[must_use]
    pub fn receiver_count(&self) -> usize {
        self.shared.receivers.get()
    }

    /// Returns how things stand.
    #[must_use]
    pub fn statistics(&self) -> WatchStatistics {
        self.shared.statistics()
    }
}

impl<T, H> Clone for Sender<T, H> {
    fn clone(&self) -> Self {
        self.shared.senders.set(self.shared.senders.get() + 1);
        Self {
            shared: Rc::clone(&self.shared),
            host: PhantomData,
        }
    }
}

impl<T, H> Drop for Sender<T, H> {
    fn drop(&mut self) {
        self.shared.senders.set(self.shared.senders.get() - 1);
        if !self.shared.has_senders() {
            self.shared.changed.wake_all();
        }
    }
}

impl<T: fmt::Debug, H> fmt::Debug for Sender<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Sender");
        self.shared.describe(&mut debug);
        debug.finish()
    }
}

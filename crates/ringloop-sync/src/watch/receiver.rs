//! The end of a watch that sees the value.

use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::rc::Rc;

use super::error::RecvError;
use super::shared::{Ref, Shared};
use super::wait::{Changed, WaitFor};
use crate::host::Host;

/// The end of a watch that sees the value. A clone has seen what its original has.
///
/// Every receiver sees the latest value, and not always those between. Counterpart:
/// `tokio::sync::watch::Receiver`.
///
/// # Examples
///
/// ```
/// let (sender, mut receiver) = ringloop_sync::watch::channel(1);
/// sender.send(2)?;
/// assert!(receiver.has_changed()?);
/// assert!(receiver.borrow().has_changed()); // A look does not count.
/// assert_eq!(*receiver.borrow_and_update(), 2);
/// assert!(!receiver.has_changed()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a value that nobody sees was sent in vain"]
pub struct Receiver<T, H> {
    shared: Rc<Shared<T>>,
    /// The version that was seen last.
    seen: u64,
    host: PhantomData<fn() -> H>,
}

impl<T, H: Host> Receiver<T, H> {
    /// Makes a receiver that was counted already.
    pub(super) fn of_new(shared: Rc<Shared<T>>) -> Self {
        Self {
            seen: shared.version(),
            shared,
            host: PhantomData,
        }
    }

    /// Looks at the value, without counting it as seen.
    ///
    /// # Panics
    ///
    /// Within a closure that changes the value.
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        self.shared.borrow(self.seen)
    }

    /// Looks at the value, which counts as seen then.
    ///
    /// # Panics
    ///
    /// Within a closure that changes the value.
    #[track_caller]
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        let value = self.shared.borrow(self.seen);
        self.seen = self.shared.version();
        value
    }

    /// Waits for a value that was not seen, which then counts as seen.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] if all senders are gone and their last value was seen;
    /// [`RecvError::Cancelled`] on a [host](Host) with cancellation.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    #[track_caller]
    pub fn changed(&mut self) -> Changed<'_, T, H> {
        Changed::new(&self.shared, &mut self.seen, Location::caller())
    }

    /// Waits for a value that `is_wanted`, be it the one of now. It counts as seen, as do those
    /// that were passed over.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] if all senders are gone and their last value is not wanted;
    /// [`RecvError::Cancelled`] on a [host](Host) with cancellation.
    ///
    /// # Panics
    ///
    /// If `is_wanted` does.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it has no effect but that values
    /// which were not wanted count as seen.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::pin::pin;
    /// # use std::task::{Context, Poll, Waker};
    /// let (sender, mut receiver) = ringloop_sync::watch::channel(1);
    /// # let mut cx = Context::from_waker(Waker::noop());
    /// # let mut task = pin!(async {
    /// sender.send(7)?;
    /// assert_eq!(*receiver.wait_for(|&count| count > 5).await?, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # });
    /// # assert!(matches!(task.as_mut().poll(&mut cx), Poll::Ready(Ok(()))));
    /// ```
    #[track_caller]
    pub fn wait_for<P>(&mut self, is_wanted: P) -> WaitFor<'_, T, H, P>
    where
        P: FnMut(&T) -> bool,
    {
        WaitFor::new(&self.shared, &mut self.seen, is_wanted, Location::caller())
    }

    /// Returns whether there is a value that was not seen.
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] if there is none and all senders are gone.
    pub fn has_changed(&self) -> Result<bool, RecvError<H::Cancelled>> {
        match self.seen != self.shared.version() {
            false if !self.shared.has_senders() => Err(RecvError::Closed),
            has_changed => Ok(has_changed),
        }
    }

    /// Has the value of now count as not seen, so that [`changed`](Self::changed) gives it.
    pub fn mark_changed(&mut self) {
        self.seen = UNSEEN;
    }
}

/// The version that is none.
const UNSEEN: u64 = u64::MAX;

impl<T, H> Clone for Receiver<T, H> {
    fn clone(&self) -> Self {
        self.shared.receivers.set(self.shared.receivers.get() + 1);
        Self {
            shared: Rc::clone(&self.shared),
            seen: self.seen,
            host: PhantomData,
        }
    }
}

impl<T, H> Drop for Receiver<T, H> {
    fn drop(&mut self) {
        self.shared.receivers.set(self.shared.receivers.get() - 1);
        if !self.shared.has_receivers() {
            self.shared.deserted.wake_all();
        }
    }
}

impl<T: fmt::Debug, H> fmt::Debug for Receiver<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Receiver");
        self.shared.describe(&mut debug);
        debug
            .field("has_changed", &(self.seen != self.shared.version()))
            .finish()
    }
}

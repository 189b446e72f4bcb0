//! The end of a broadcast that sends.

use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use super::error::SendError;
use super::receiver::Receiver;
use super::shared::{BroadcastStatistics, Shared};
use crate::host::Host;

/// Makes a sender and a receiver of items that everybody gets.
///
/// For the host of one's choice; see [`broadcast::channel`](crate::broadcast::channel).
///
/// # Panics
///
/// If `capacity` is zero: nothing could ever be received.
#[track_caller]
pub fn channel<T, H: Host>(capacity: usize) -> (Sender<T, H>, Receiver<T, H>) {
    assert!(capacity > 0, "a broadcast keeps at least one item");
    let sender = Sender {
        shared: Rc::new(Shared::new(capacity)),
        host: PhantomData,
    };
    let receiver = sender.subscribe();
    (sender, receiver)
}

/// The end of a broadcast that sends. Clonable: every sender may.
///
/// Senders never wait: where there is no room, the oldest item goes, and who has not seen it is told
/// so. When the last sender is gone, the broadcast is closed. Counterpart:
/// `tokio::sync::broadcast::Sender`.
///
/// # Examples
///
/// ```
/// let (sender, mut receiver) = ringloop_sync::broadcast::channel(4);
/// sender.send(1)?;
/// assert_eq!(sender.send(2)?, 1); // So many receivers.
/// assert_eq!((sender.len(), receiver.len()), (2, 2));
/// assert_eq!(receiver.try_recv()?, 1);
/// assert_eq!(sender.len(), 1); // Everybody has seen the first.
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a broadcast without a sender is closed"]
pub struct Sender<T, H> {
    shared: Rc<Shared<T>>,
    host: PhantomData<fn() -> H>,
}

impl<T, H: Host> Sender<T, H> {
    /// Sends an item to all receivers. Returns how many there are.
    ///
    /// # Errors
    ///
    /// Gives the item back if there is no receiver, or the broadcast was closed.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    #[inline]
    pub fn send(&self, item: T) -> Result<usize, SendError<T>> {
        self.shared.send(item)
    }

    /// Makes a receiver of the items that are sent from now on.
    pub fn subscribe(&self) -> Receiver<T, H> {
        let next = self.shared.subscribe();
        Receiver::of_entered(Rc::clone(&self.shared), next)
    }

    /// Has all later sends fail. Receivers get what was sent, and then learn of it.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn close(&self) {
        self.shared.close();
    }

    /// Returns whether the broadcast was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// Returns how many items somebody is to see yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.statistics().len
    }

    /// Returns whether everybody has seen everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many receivers there are.
    #[must_use]
    pub fn receiver_count(&self) -> usize {
        self.statistics().receivers
    }

    /// Returns how things stand.
    #[must_use]
    pub fn statistics(&self) -> BroadcastStatistics {
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
        if self.shared.senders.get() == 0 {
            self.shared.close();
        }
    }
}

impl<T, H> fmt::Debug for Sender<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.shared).finish()
    }
}

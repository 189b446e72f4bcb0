//! A queue that ends when its users are gone.
//!
//! | file | what it has |
//! |---|---|
//! | `sender`, `receiver` | the ends, which are counted, and their futures |
//! | `error` | why an item was not sent, or none was received |
//!
//! Who waits, and whose an item is, is the business of the [`queue`](crate::hosted::Queue) inside.

mod error;
mod receiver;
mod sender;

pub use error::{RecvError, SendError, TryRecvError, TrySendError};
pub use receiver::{Receiver, Recv, RecvNext};
pub use sender::{SendItem, Sender};

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use crate::host::Host;
use crate::queue::Queue;

/// Makes the two ends of a channel in which at most `capacity` items wait.
///
/// Both ends can be cloned. When the last [`Sender`] is gone, the receivers get what is left and
/// are then told; when the last [`Receiver`] is gone, so is what is left, and a send gives its item
/// back. First come, first served on both sides, and an item that is sent while a task waits for
/// one is that task's, as with a [`Queue`].
///
/// Memory is allocated as items come, so a huge capacity costs nothing; `usize::MAX` is no limit.
/// With a capacity of zero every send is a rendezvous: it waits until its item is received.
/// Counterpart: `trio.open_memory_channel`.
///
/// # Examples
///
/// ```
/// # use std::pin::pin;
/// # use std::task::{Context, Poll, Waker};
/// let (sender, receiver) = ringloop_sync::channel(10);
/// # let mut cx = Context::from_waker(Waker::noop());
/// # let mut task = pin!(async {
/// for name in ["one", "other"] {
///     let sender = sender.clone();
///     sender.send(name).await.unwrap();
/// }
/// drop(sender);
/// assert_eq!(receiver.recv().await, Ok("one"));
/// while let Some(name) = receiver.next().await {
///     assert_eq!(name, "other");
/// }
/// # });
/// # assert!(task.as_mut().poll(&mut cx).is_ready());
/// ```
#[doc(alias("open_memory_channel", "mpsc", "mpmc", "bounded"))]
pub fn channel<T, H: Host>(capacity: usize) -> (Sender<T, H>, Receiver<T, H>) {
    let shared = Rc::new(Shared {
        queue: Queue::bounded(capacity),
        senders: Cell::new(1),
        receivers: Cell::new(1),
    });
    (Sender::new(Rc::clone(&shared)), Receiver::new(shared))
}

/// Makes the two ends of a [`channel`] in which any number of items wait.
///
/// A send never waits, so nothing slows down who sends faster than others receive.
#[doc(alias = "unbounded")]
pub fn unbounded_channel<T, H: Host>() -> (Sender<T, H>, Receiver<T, H>) {
    channel(usize::MAX)
}

/// What the ends share.
struct Shared<T, H> {
    queue: Queue<T, H>,
    senders: Cell<usize>,
    receivers: Cell<usize>,
}

impl<T, H: Host> Shared<T, H> {
    fn statistics(&self) -> ChannelStatistics {
        let queue = self.queue.statistics();
        ChannelStatistics {
            len: queue.len,
            capacity: queue.capacity,
            is_closed: queue.is_closed,
            senders: self.senders.get(),
            receivers: self.receivers.get(),
            waiting_senders: queue.waiting_putters,
            waiting_receivers: queue.waiting_getters,
        }
    }

    fn describe(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let statistics = self.statistics();
        let mut debug = f.debug_struct(name);
        debug.field("len", &statistics.len);
        if let Some(capacity) = statistics.capacity {
            debug.field("capacity", &capacity);
        }
        debug
            .field("is_closed", &statistics.is_closed)
            .field("senders", &statistics.senders)
            .field("receivers", &statistics.receivers)
            .field("waiting_senders", &statistics.waiting_senders)
            .field("waiting_receivers", &statistics.waiting_receivers)
            .finish()
    }
}

/// How things stand with a channel; see [`Sender::statistics`] and [`Receiver::statistics`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChannelStatistics {
    /// How many items are in it that are not on their way to somebody.
    pub len: usize,
    /// How many may be; `None` is any number.
    pub capacity: Option<usize>,
    /// Whether it was closed, or one side is gone.
    pub is_closed: bool,
    /// How many senders there are.
    pub senders: usize,
    /// How many receivers there are.
    pub receivers: usize,
    /// How many sends wait for room.
    pub waiting_senders: usize,
    /// How many wait for an item.
    pub waiting_receivers: usize,
}

//! Items from tasks and threads to tasks and threads.
//!
//! | file | what it has |
//! |---|---|
//! | `pipe` | what the ends share, behind two locks |
//! | `sides` | the items, and who waits |
//! | `sender`, `receiver` | the ends |
//! | `send`, `recv` | their futures |
//! | `error` | why an item was not sent, or none was received, in time |

mod error;
mod pipe;
mod receiver;
mod recv;
mod send;
mod sender;
mod sides;

pub use error::{RecvTimeoutError, SendTimeoutError};
pub use receiver::Receiver;
pub use recv::{Recv, RecvNext};
pub use send::SendItem;
pub use sender::Sender;

use crate::host::Host;
use crate::loom::Arc;
use pipe::Pipe;

/// Makes a channel that lets `capacity` items in before senders have to wait.
///
/// See [`shared::channel`](crate::shared::channel()), which is this on
/// [`AnyExecutor`](crate::AnyExecutor).
#[must_use]
pub fn channel<T, H: Host>(capacity: usize) -> (Sender<T, H>, Receiver<T, H>) {
    let pipe = Arc::new(Pipe::new(capacity));
    (Sender::new(Arc::clone(&pipe)), Receiver::new(pipe))
}

/// Makes a channel that lets in as many items as there is memory for.
///
/// See [`shared::unbounded_channel`](crate::shared::unbounded_channel), which is this on
/// [`AnyExecutor`](crate::AnyExecutor).
#[must_use]
pub fn unbounded_channel<T, H: Host>() -> (Sender<T, H>, Receiver<T, H>) {
    channel(usize::MAX)
}

#[cfg(all(test, loom))]
mod tests;

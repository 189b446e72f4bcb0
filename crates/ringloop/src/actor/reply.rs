//! The answer that an asker waits for.

use crate::future::Setter;

/// The place for the answer to one question; see [`Address::ask`](super::Address::ask).
///
/// Dropped without an answer, as it is when the actor fails over the message, it tells the asker so.
/// It may be kept and answered later, or handed to another task.
#[derive(Debug)]
#[must_use = "a reply that is dropped tells the asker that there is no answer"]
pub struct Reply<R>(Setter<R>);

impl<R> Reply<R> {
    pub(super) fn new(setter: Setter<R>) -> Self {
        Self(setter)
    }

    /// Answers. An answer that nobody waits for any more is dropped.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn send(self, answer: R) {
        drop(self.0.set(answer));
    }

    /// Returns whether nobody waits for the answer any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

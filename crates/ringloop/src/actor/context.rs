//! What an actor knows of itself.

use std::fmt;
use std::rc::Rc;

use super::address::Address;
use super::shared::Shared;

/// What an actor knows of itself, as its hooks get it.
pub struct Context<M> {
    shared: Rc<Shared<M>>,
}

impl<M> Context<M> {
    pub(super) fn new(shared: &Rc<Shared<M>>) -> Self {
        Self {
            shared: Rc::clone(shared),
        }
    }

    /// Makes an address of the actor, to be handed around. One that the actor keeps itself keeps it
    /// from being stopped by the drop of all others.
    ///
    /// An actor that [asks](Address::ask) itself waits for ever, and one that
    /// [tells](Address::tell) itself something does if its inbox is full:
    /// [`try_tell`](Address::try_tell) does not.
    pub fn address(&self) -> Address<M> {
        Address::new(&self.shared)
    }

    /// Ends the actor after the messages that are in its inbox; see [`Address::stop`].
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn stop(&self) {
        self.shared.queue.close();
    }

    /// Returns how many messages are in the inbox.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.queue.len()
    }

    /// Returns whether the inbox is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<M> fmt::Debug for Context<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

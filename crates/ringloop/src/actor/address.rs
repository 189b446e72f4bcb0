//! Where an actor is told and asked.

use std::fmt;
use std::future::poll_fn;
use std::panic::Location;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use super::error::{AskError, TellError};
use super::reply::Reply;
use super::shared::Shared;
use crate::cancel::CancelWatch;
use crate::future::postbox;
use crate::sync::{PutError, TryPutError};

/// Where an actor is told and asked. Cheap to clone, and belongs to the actor's thread: other threads
/// reach it through a [`Remote`](crate::Remote).
///
/// When the last address is dropped, the actor is [stopped](Self::stop).
#[must_use = "an actor without an address is stopped"]
pub struct Address<M> {
    shared: Rc<Shared<M>>,
}

impl<M> Address<M> {
    pub(super) fn new(shared: &Rc<Shared<M>>) -> Self {
        shared.addresses.set(shared.addresses.get() + 1);
        Self {
            shared: Rc::clone(shared),
        }
    }

    /// Puts a message into the inbox, waiting while that is full, first come, first served.
    ///
    /// The future borrows the address. A task that is spawned for it has a clone of its own:
    /// `async move { address.tell(message).await }`.
    ///
    /// # Errors
    ///
    /// Gives the message back if the actor has stopped, or the wait is cancelled.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it completes, the message is dropped as well, and not told.
    #[track_caller]
    pub fn tell(&self, message: M) -> impl Future<Output = Result<(), TellError<M>>> {
        let at = Location::caller();
        let queue = &self.shared.queue;
        let mut put = queue.put(message);
        async move {
            let told = poll_fn(|cx| {
                let polled = Pin::new(&mut put).poll(cx);
                // Else it merely gives way to other tasks.
                if polled.is_pending() && queue.is_full() {
                    self.shared
                        .watch_out(at, "it tells while its inbox is full");
                }
                polled
            });
            told.await.map_err(|error| {
                if let PutError::Cancelled(message, cancelled) = error {
                    TellError::Cancelled(message, cancelled)
                } else {
                    TellError::Stopped(error.into_item())
                }
            })
        }
    }

    /// Puts a message into the inbox, if there is room.
    ///
    /// # Errors
    ///
    /// Gives the message back if the inbox is full or the actor has stopped.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn try_tell(&self, message: M) -> Result<(), TellError<M>> {
        self.shared.queue.try_put(message).map_err(|error| {
            if let TryPutError::Full(message) = error {
                TellError::Full(message)
            } else {
                TellError::Stopped(error.into_item())
            }
        })
    }

    /// Puts a question into the inbox, as [`tell`](Self::tell) does, and waits for the answer.
    ///
    /// `question` makes the message, with the [`Reply`] in it; often the name of a variant will do.
    ///
    /// # Errors
    ///
    /// [`AskError::Stopped`] if the actor had stopped before, [`AskError::Unanswered`] if it failed
    /// over the question or ended without an answer, [`AskError::Cancelled`] if the wait is
    /// cancelled.
    ///
    /// # Cancel safety
    ///
    /// Dropped or cancelled, nobody waits for the answer; the question may have been told.
    #[doc(alias("call", "request"))]
    #[track_caller]
    pub fn ask<R>(
        &self,
        question: impl FnOnce(Reply<R>) -> M,
    ) -> impl Future<Output = Result<R, AskError>> {
        let at = Location::caller();
        let mut watch = CancelWatch::at(at);
        let (setter, mut answer) = postbox();
        let told = self.tell(question(Reply::new(setter)));
        async move {
            told.await.map_err(AskError::of_tell)?;
            poll_fn(|cx| {
                if let Poll::Ready(answered) = Pin::new(&mut answer).poll(cx) {
                    return Poll::Ready(answered.map_err(|_| AskError::Unanswered));
                }
                self.shared.watch_out(at, "it asks");
                match watch.poll_cancelled(cx) {
                    Ok(()) => Poll::Pending,
                    Err(cancelled) => Poll::Ready(Err(AskError::Cancelled(cancelled))),
                }
            })
            .await
        }
    }

    /// Ends the actor gracefully: it handles what is in the inbox, and nothing that comes later. Those
    /// who wait for room have their messages back.
    ///
    /// To end it without that, [cancel](crate::task::JoinHandle::cancel) its task.
    ///
    /// # Cancel safety
    ///
    /// Nothing to cancel: the function does not wait.
    pub fn stop(&self) {
        self.shared.queue.close();
    }

    /// Returns whether the actor was stopped or has ended, so that nothing can be told.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.shared.queue.is_closed()
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

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self::new(&self.shared)
    }
}

impl<M> Drop for Address<M> {
    fn drop(&mut self) {
        let left = self.shared.addresses.get() - 1;
        self.shared.addresses.set(left);
        if left == 0 {
            self.shared.queue.close();
        }
    }
}

impl<M> fmt::Debug for Address<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("len", &self.len())
            .field("is_stopped", &self.is_stopped())
            .finish_non_exhaustive()
    }
}

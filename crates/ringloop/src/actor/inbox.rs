//! The receiving end of an actor, and the loop that runs it.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

use super::Actor;
use super::address::Address;
use super::caught::Caught;
use super::context::Context;
use super::error::{ActorError, Failure};
use super::hook::Hook;
use super::shared::Shared;
use super::supervision::{Restarts, Supervision};
use crate::Cancelled;
use crate::cancel::check_cancelled;
use crate::sync::GetError;
use crate::time::{now, sleep};

/// Makes the two ends of an inbox for `capacity` messages.
///
/// With a capacity of zero, [`Address::tell`] waits until the actor takes the message.
///
/// # Examples
///
/// In a group, with a name:
///
/// ```
/// use ringloop::actor::{self, ActorError};
/// use ringloop::{Cancelled, group, task};
///
/// ringloop::run(group(async |g| {
///     let (address, inbox) = actor::inbox(2);
///     let greet = actor::from_fn(async |name: &str| {
///         println!("hello {name}");
///         Ok::<(), Cancelled>(())
///     });
///     let greeter = task::Builder::new().name("greeter").spawn_in(g, inbox.run(greet));
///     address.tell("world").await.expect("the greeter listens");
///     Ok::<(), ActorError<Cancelled>>(())
/// })) // The last address is gone, so the greeter ends, and with it the group.
/// # .map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
/// # Ok::<(), String>(())
/// ```
pub fn inbox<M>(capacity: usize) -> (Address<M>, Inbox<M>) {
    let shared = Rc::new(Shared::new(capacity));
    let inbox = Inbox {
        shared: Rc::clone(&shared),
        is_over: Cell::new(false),
    };
    (Address::new(&shared), inbox)
}

/// The receiving end of an actor; see [`inbox()`].
///
/// Dropped, with the future of its actor or without, it stops the actor, and what is in it gets no
/// answer.
#[must_use = "an inbox that is dropped stops its actor"]
pub struct Inbox<M> {
    shared: Rc<Shared<M>>,
    /// Whether no message is handled any more: whatever comes of the last hook, the actor has ended.
    is_over: Cell<bool>,
}

/// How one life of an actor ended, if it was not stopped.
enum End<E> {
    Failed(E),
    Cancelled(Cancelled),
}

impl<M> Inbox<M> {
    /// Runs an actor until it is stopped: a future to be spawned. Gives the actor back.
    ///
    /// A panic of the actor goes on where the future is polled, which is its task.
    ///
    /// # Errors
    ///
    /// [`ActorError::Failed`] with what one of its hooks has failed with,
    /// [`ActorError::Cancelled`] if its task or a scope around is cancelled, whatever a hook says to
    /// that.
    ///
    /// # Cancel safety
    ///
    /// Dropped, the actor and what is in its inbox are gone. Cancelled, it has handled its message
    /// to the end and was [told](Actor::stopped).
    pub async fn run<A>(self, actor: A) -> Result<A, ActorError<A::Error>>
    where
        A: Actor<Message = M>,
    {
        self.attend(actor).await.map_err(|end| match end {
            End::Failed(error) => ActorError::Failed { error, restarts: 0 },
            End::Cancelled(cancelled) => ActorError::Cancelled(cancelled),
        })
    }

    /// Runs an actor and, when it fails, another one in its place, as the [`Supervision`] says.
    ///
    /// `make` makes each of them, and is told why the one before has failed. The message that it
    /// failed over is gone, and whoever asked it learns so; the others stay in the inbox. Nobody else
    /// hears of a failure that another actor follows: `make` is the place for a line in the log.
    ///
    /// A last failure, after which there is no other actor, is that of the future: an error comes
    /// out, a panic goes on. So is one in [`stopped`](Actor::stopped), which comes after the last
    /// message.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    ///
    /// # Panics
    ///
    /// If an actor panics that is not to be made anew, or `make` does.
    ///
    /// # Cancel safety
    ///
    /// As [`run`](Self::run). A wait for the time to make the next one ends at once.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop::actor::{self, Restart, Supervision};
    ///
    /// ringloop::run(async {
    ///     let (address, inbox) = actor::inbox(8);
    ///     let task = ringloop::spawn(inbox.supervise(Supervision::new(Restart::OnError), |failure| {
    ///         if let Some(failure) = failure {
    ///             println!("once more, because {failure}");
    ///         }
    ///         let mut sum = 0_u8;
    ///         actor::from_fn(async move |number: u8| {
    ///             sum = sum.checked_add(number).ok_or("it was too much")?;
    ///             Ok::<(), &str>(())
    ///         })
    ///     }));
    ///     for _ in 0..4 {
    ///         address.tell(100).await?; // The third one is too much for the first sum.
    ///     }
    ///     address.stop();
    ///     assert!(task.await?.is_ok());
    ///     Ok::<(), Box<dyn std::error::Error>>(())
    /// })??;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn supervise<A, F>(
        self,
        supervision: Supervision,
        mut make: F,
    ) -> Result<A, ActorError<A::Error>>
    where
        A: Actor<Message = M>,
        F: FnMut(Option<Failure<A::Error>>) -> A,
    {
        let mut restarts = Restarts::new(supervision);
        let mut failed = None;
        loop {
            let actor = make(failed.take());
            let failure = match Caught::new(self.attend(actor)).await {
                Ok(Ok(actor)) => return Ok(actor),
                Ok(Err(End::Cancelled(cancelled))) => return Err(ActorError::Cancelled(cancelled)),
                Ok(Err(End::Failed(error))) => Failure::Error(error),
                Err(payload) => Failure::Panic(payload),
            };
            if self.is_over.get() {
                return failure.into_end(restarts.count());
            }
            let Some(delay) = restarts.next(&failure, now()) else {
                return failure.into_end(restarts.count());
            };
            // Also one of no duration gives way to other tasks.
            sleep(delay).await.map_err(ActorError::Cancelled)?;
            failed = Some(failure);
        }
    }

    /// One life of an actor.
    async fn attend<A>(&self, mut actor: A) -> Result<A, End<A::Error>>
    where
        A: Actor<Message = M>,
    {
        let context = Context::new(&self.shared);
        let cancelled = match self.attend_to_messages(&mut actor, &context).await {
            Ok(()) => {
                self.is_over.set(true);
                let stopped = self.hook(actor.stopped(&context)).await;
                stopped.map_err(End::Failed)?;
                return Ok(actor);
            }
            Err(End::Failed(error)) => match check_cancelled() {
                Ok(()) => return Err(End::Failed(error)),
                Err(cancelled) => cancelled,
            },
            Err(End::Cancelled(cancelled)) => cancelled,
        };
        // Nobody is to wait for what is never handled, nor to tell more of it.
        drop(self.shared.queue.close_now());
        self.is_over.set(true);
        drop(self.hook(actor.stopped(&context)).await);
        Err(End::Cancelled(cancelled))
    }

    fn hook<F: Future>(&self, future: F) -> Hook<'_, F> {
        Hook::new(&self.shared.is_in_hook, future)
    }

    async fn attend_to_messages<A>(
        &self,
        actor: &mut A,
        context: &Context<M>,
    ) -> Result<(), End<A::Error>>
    where
        A: Actor<Message = M>,
    {
        let started = self.hook(actor.started(context)).await;
        started.map_err(End::Failed)?;
        loop {
            match self.shared.queue.get().await {
                Ok(message) => {
                    let handled = self.hook(actor.handle(message, context)).await;
                    handled.map_err(End::Failed)?;
                }
                Err(GetError::Cancelled(cancelled)) => return Err(End::Cancelled(cancelled)),
                Err(_closed) => return Ok(()),
            }
        }
    }
}

impl<M> Drop for Inbox<M> {
    fn drop(&mut self) {
        drop(self.shared.queue.close_now());
    }
}

impl<M> fmt::Debug for Inbox<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox")
            .field("len", &self.shared.queue.len())
            .finish_non_exhaustive()
    }
}

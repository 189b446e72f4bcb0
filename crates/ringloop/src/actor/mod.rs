//! Actors: one task, one state, messages one after the other.
//!
//! An [`Actor`] has state and handles messages. [`inbox()`] makes the two ends of its inbox: an
//! [`Address`], to be cloned and handed around, and an [`Inbox`], whose [`run`](Inbox::run) is the
//! actor as a plain future. So an actor is a task like others: it is spawned, named, put into a
//! group, cancelled and awaited like others, and [`spawn`] is merely the shortest way.
//!
//! | to | there is |
//! |---|---|
//! | send a message | [`Address::tell`], which waits while the inbox is full, and [`Address::try_tell`] |
//! | send one and have an answer | [`Address::ask`], with a [`Reply`] in the message |
//! | end it | [`Address::stop`], which lets it handle what is in the inbox; `cancel` on its task, which does not |
//! | know how it ended | the task's handle, which gives the actor back or its [`ActorError`] |
//! | have it made anew when it fails | [`Inbox::supervise`] with a [`Supervision`] |
//!
//! What another task may do meanwhile is clear from the code: a message is handled to its end before
//! the next one is looked at, whatever the handler awaits.
//!
//! # When it ends, and when it goes wrong
//!
//! | what happens | what becomes of the actor | who asks it | who waits for room |
//! |---|---|---|---|
//! | it is stopped, or its last address is dropped | handles what is in the inbox; [`stopped`](Actor::stopped); its task gives it back | has the answer | has the message back |
//! | its task is cancelled | the waits of its handler say so; `stopped`; [`ActorError::Cancelled`] | [`AskError::Unanswered`] | has the message back |
//! | a hook fails | [`ActorError::Failed`], or made anew | `Unanswered` | has the message back, or goes on waiting |
//! | a hook panics | its task has panicked, or made anew | `Unanswered` | has the message back, or goes on waiting |
//! | its task is aborted, or its runtime goes | dropped where it is | `Unanswered` | has the message back |
//! | it drops the [`Reply`] | nothing | `Unanswered` | |
//!
//! - Nobody hears of an actor that fails with an error but the handle of its task. Keep that, or run the
//!   [`Inbox`] in a [`group`](mod@crate::group), which fails with it. Of failures that another life
//!   follows, only the closure that makes it hears.
//! - An actor that asks itself waits for ever, as does one that tells itself something while its
//!   inbox is full. In debug mode, that is reported as a
//!   [deadlock](crate::observe::Report::Deadlock). Two actors that ask each other at the same time do
//!   the same and are not found out: let one of them tell, or bound the wait with a
//!   [`timeout`](crate::timeout).
//! - Actors that have each other's addresses keep each other running until one of them is stopped, or
//!   the runtime ends.
//!
//! # Examples
//!
//! Such an error type as [`Cancelled`](crate::Cancelled) or [`io::Error`](std::io::Error) lets the
//! waits of the hooks end them with `?`:
//!
//! ```
//! use ringloop::Cancelled;
//! use ringloop::actor::{self, Actor, Context, Reply};
//!
//! #[derive(Default)]
//! struct Counter(u64);
//!
//! enum Message {
//!     Add(u64),
//!     Get(Reply<u64>),
//! }
//!
//! impl Actor for Counter {
//!     type Message = Message;
//!     type Error = Cancelled;
//!
//!     async fn handle(&mut self, message: Message, _: &Context<Message>) -> Result<(), Cancelled> {
//!         match message {
//!             Message::Add(number) => self.0 += number,
//!             Message::Get(reply) => reply.send(self.0),
//!         }
//!         Ok(())
//!     }
//! }
//!
//! ringloop::run(async {
//!     let (address, task) = actor::spawn(Counter::default());
//!     address.tell(Message::Add(20)).await?;
//!     address.tell(Message::Add(22)).await?;
//!     assert_eq!(address.ask(Message::Get).await?, 42);
//!     address.stop();
//!     let counter = task.await??;
//!     assert_eq!(counter.0, 42);
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! })??;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod caught;
mod context;
mod error;
mod from_fn;
mod hook;
mod inbox;
mod reply;
mod shared;
mod supervision;

pub use address::Address;
pub use context::Context;
pub use error::{ActorError, AskError, Failure, TellError};
pub use from_fn::{FromFn, from_fn};
pub use inbox::{Inbox, inbox};
pub use reply::Reply;
pub use supervision::{Restart, Supervision};

use crate::task::{self, JoinHandle};

/// State that handles messages, one after the other.
///
/// An actor stays on its thread, so nothing in it has to be `Send`. Counterpart: the actors of the
/// gevent tutorial, `GenServer`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an actor",
    note = "`actor::from_fn(async |message| ..)` makes one of a closure"
)]
#[expect(
    async_fn_in_trait,
    reason = "an actor stays on its thread: nobody asks whether its futures are `Send`"
)]
pub trait Actor {
    /// What it is told.
    type Message;

    /// What it may fail with.
    type Error;

    /// Handles a message. Where the handler fails, the actor ends, or is made anew under
    /// [supervision](Inbox::supervise).
    ///
    /// # Errors
    ///
    /// Whatever the actor chooses to end by.
    ///
    /// # Cancel safety
    ///
    /// When the task of the actor is cancelled, the waits in here say so. The inbox is then dropped
    /// as soon as the handler returns.
    async fn handle(
        &mut self,
        message: Self::Message,
        context: &Context<Self::Message>,
    ) -> Result<(), Self::Error>;

    /// Called before the first message.
    ///
    /// # Errors
    ///
    /// As [`handle`](Self::handle).
    ///
    /// # Cancel safety
    ///
    /// As `handle`.
    async fn started(&mut self, context: &Context<Self::Message>) -> Result<(), Self::Error> {
        let _ = context;
        Ok(())
    }

    /// Called after the last message, if the actor was stopped or cancelled; not if it failed. Under
    /// a cancellation it can wait behind a [`shield`](crate::cancel::shield).
    ///
    /// # Errors
    ///
    /// Whatever the actor chooses; it ends anyway.
    ///
    /// # Cancel safety
    ///
    /// As `handle`.
    async fn stopped(&mut self, context: &Context<Self::Message>) -> Result<(), Self::Error> {
        let _ = context;
        Ok(())
    }
}

/// Starts an actor as a task, with an inbox for 16 messages.
///
/// For another inbox, a name or a group, make the [`inbox`](inbox()) first and spawn
/// [`Inbox::run`]. Dropping the handle lets the actor run on; dropping all addresses stops it.
///
/// # Panics
///
/// Outside of a running loop.
///
/// # Cancel safety
///
/// Nothing to cancel: the function does not wait.
#[doc(alias("start", "Actor.start"))]
#[track_caller]
pub fn spawn<A>(actor: A) -> (Address<A::Message>, ActorHandle<A>)
where
    A: Actor + 'static,
{
    let (address, inbox) = inbox(16);
    (address, task::spawn(inbox.run(actor)))
}

/// The handle of a task that is an actor: gives the actor back if it was stopped.
pub type ActorHandle<A> = JoinHandle<Result<A, ActorError<<A as Actor>::Error>>>;

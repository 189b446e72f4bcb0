//! Cancellation: tokens that carry the wish to stop, and scopes that are stopped.
//!
//! The rules:
//!
//! * **C1** Cancelling is a request. It is delivered as `Err(Cancelled)` by the wait the task is
//!   parked on, or by its next one. `?` unwinds; cleanup may await.
//! * **C2** Inside a cancelled scope every later wait fails at once, until the scope is left. The
//!   task itself is the outermost scope. [`shield()`] keeps outer cancellation out.
//! * **C3** The value wins: what completed before the request was delivered is returned, and
//!   `Cancelled` comes at the next wait.
//! * **C4** A wait begun inside a cancelled scope does nothing and says `Cancelled`.
//! * **C5** A scope absorbs only its own cancellation. With equal deadlines the outer one reports.
//! * **C6** Awaiting a [`JoinHandle`](crate::task::JoinHandle) passes the request on to the
//!   task, once, and still waits for its end; [`wait`](crate::task::JoinHandle::wait) does not.
//! * **C7** What was granted to a waiter that has gone passes to the next one. That is the duty of
//!   whatever grants, such as the queue of a listener; nothing here does.
//! * **C8** A task cancelled before its first poll still runs to its first wait.
//! * **C9** Every request has a [`Reason`]; the first is kept.
//! * **C10** A [`CancelToken`] only wakes: it knows no operation and no loop.
//!
//! A wait takes part by holding a [`CancelWatch`].

mod deadline;
mod node;
mod notice;
mod reason;
mod run_scoped;
mod scope;
mod scope_handle;
mod shield;
mod stay;
mod token;
mod token_wait;
mod watch;

pub use deadline::effective_deadline;
pub use node::check_cancelled;
pub use reason::{Cancelled, Reason, ReasonKind, is_cancelled};
pub use run_scoped::RunScoped;
pub use scope::{CancelScope, ScopeExit};
pub use scope_handle::ScopeHandle;
pub use shield::{Shield, ShieldFor, shield, shield_for};
pub use token::CancelToken;
pub use token_wait::{Run, Signal, WaitCancelled};
pub use watch::CancelWatch;

pub(crate) use node::Node;
pub(crate) use notice::Request;
pub(crate) use run_scoped::PATIENCE;

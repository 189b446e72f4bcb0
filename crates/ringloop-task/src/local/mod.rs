//! Values that belong to a task, and are handed on to the tasks that it spawns.
//!
//! [`task_local!`](crate::task_local) declares one. A task has a copy of its spawner's values, taken
//! at the spawn: what either sets afterwards, the other does not see. So a request's number, a
//! locale or a tracing span reaches everything that is started on its behalf, and leaks nowhere.
//! Counterpart: `contextvars`.
//!
//! The values stand in one map that is shared until somebody changes it. A task that inherits costs
//! no allocation, and a task without values costs a null pointer.
//!
//! Values stay on the loop's thread. Those of a local that is declared `traveling` go with work that
//! leaves it: with what is offloaded, and with what that asks of the loop through a
//! [`Remote`](crate::Remote); see [`Traveling`].
//!
//! ```
//! use ringloop_core::ThreadDriver;
//! use ringloop_task::{Scheduler, task, task_local};
//!
//! task_local! {
//!     static REQUEST: u32;
//! }
//!
//! async fn handle() -> String {
//!     // However deep, and in whichever task of the request.
//!     task::spawn(async { format!("request {}", REQUEST.get()) }).await.unwrap()
//! }
//!
//! Scheduler::new(ThreadDriver::new()).block_on(async {
//!     let seven = task::spawn(REQUEST.scope(7, handle()));
//!     let eight = task::spawn(REQUEST.scope(8, handle()));
//!     assert_eq!(seven.await.unwrap(), "request 7");
//!     assert_eq!(eight.await.unwrap(), "request 8");
//! });
//! ```

mod context;
mod map;
mod scoped;
mod task_local;
mod traveling;

pub use context::Context;
pub use scoped::Scoped;
pub use task_local::{AccessError, TaskLocal};
pub use traveling::Traveling;

pub(crate) use context::capture;
pub(crate) use map::{Locals, Slot};

//! A single-threaded task scheduler with scopes, cancellation and timers, over any driver.
//!
//! A [`Scheduler`] polls tasks on one thread. It knows tasks, time and the wish to stop; it knows
//! no file descriptor. What it sleeps on, what wakes it and what time it is, its [`Driver`] says:
//! io_uring, a condition variable, a simulation. Tasks may hold what they like: nothing has to be
//! `Send`, and nothing is locked.
//!
//! # The five ideas
//!
//! **Tasks.** [`task::spawn`] starts one and returns a [`JoinHandle`](task::JoinHandle): await it
//! for the output, drop it to let the task go its way. The scheduler owns the task; a panic goes to
//! whoever awaits it, or to the hook for what is [`Unhandled`], once. Everything is first in,
//! first out: the same input runs in the same order.
//!
//! **Time.** [`time::sleep`] and [`time::timeout`] file a waker under an instant, in user space. They
//! are exact: no tick, never early.
//!
//! **Cancellation is a request.** [`JoinHandle::cancel`](task::JoinHandle::cancel) makes the wait
//! that the task is parked on return `Err(Cancelled)`, and every later one too. `?` unwinds, and
//! cleanup may still wait, behind a [`cancel::shield`]. So `.await` shows every point where a task
//! may be switched, and the `?` after it every point where it may be cancelled. The rough way, to
//! drop the future where it is, is [`abort`](task::JoinHandle::abort).
//!
//! **Scopes.** A timeout is a scope: a region that is cancelled as one. A scope absorbs its own
//! cancellation and passes on every other, so nested timeouts and requests to the task never take
//! each other for their own. The [rules](cancel) are few.
//!
//! **Threads.** Wakers may be used anywhere; a task is polled and dropped on its own thread only. A
//! [`Remote`] brings closures and futures in from other threads.
//!
//! # What it costs
//!
//! One allocation for a task, none for a wake, a sleep or a timeout. On its own thread a task is
//! counted and woken without atomic operations; a wake is a push on a queue.
//!
//! # A program
//!
//! ```
//! use ringloop_core::ThreadDriver;
//! use ringloop_task::cancel::{Cancelled, shield};
//! use ringloop_task::{Scheduler, task, time};
//! use std::time::Duration;
//!
//! /// Counts until it is told to stop, and says goodbye.
//! async fn count() -> u32 {
//!     let mut ticks = 0;
//!     while time::sleep(Duration::from_millis(1)).await.is_ok() {
//!         ticks += 1;
//!     }
//!     // Cancelled: every wait fails now, but for one behind a shield.
//!     let goodbye = shield(time::sleep(Duration::from_millis(1))).await;
//!     assert!(goodbye.is_ok());
//!     ticks
//! }
//!
//! async fn program() -> Result<u32, Cancelled> {
//!     let counter = task::Builder::new().name("counter").spawn(count());
//!
//!     // A slow answer is not waited for.
//!     let slow = async { time::sleep(Duration::from_secs(3600)).await.map(|()| "at last") };
//!     match time::timeout(Duration::from_millis(20), slow).await {
//!         Ok(answer) => println!("{}", answer?),
//!         Err(elapsed) => println!("no answer: {elapsed}"),
//!     }
//!
//!     counter.cancel("enough");
//!     Ok(counter.await.expect("the counter does not panic"))
//! }
//!
//! let mut scheduler = Scheduler::new(ThreadDriver::new());
//! let ticks = scheduler.block_on(program())?;
//! assert!(ticks > 0);
//! let report = scheduler.shutdown(Duration::from_secs(1));
//! assert_eq!(report.aborted, 0);
//! # Ok::<(), Cancelled>(())
//! ```
//!
//! [`Driver`]: ringloop_core::Driver

#![deny(unsafe_code)]

pub mod call;
pub mod cancel;
pub mod future;
pub mod group;
pub mod local;
pub mod observe;
pub mod task;
pub mod testing;
pub mod time;

mod aside;
mod combine;
mod context;
mod gate;
mod home;
mod ready;
mod remote;
mod scheduler;
mod sync;
mod unhandled;
mod waker_set;

pub use context::is_running;
pub use remote::{Closed, Remote, RemoteJoin, RemoteTasks};
pub use scheduler::{Scheduler, SchedulerBuilder, SchedulerStats, ShutdownReport, Turn};
pub use unhandled::{Unhandled, UnhandledKind};

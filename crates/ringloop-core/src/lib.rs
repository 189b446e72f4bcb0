//! The core that the ringloop layers share: how a thread sleeps, and how tasks wait.
//!
//! Everything here is about [`Future`] and [`Waker`](std::task::Waker), and nothing else: no task,
//! no I/O, no thread of its own, no dependency but std. It is useful without the layers above:
//! anyone who writes a scheduler, a lock or a channel needs most of it.
//!
//! # How a thread sleeps
//!
//! A scheduler polls what is ready, and then has nothing to do until something happens. What it
//! sleeps on is a [`Driver`]: [`now`](Driver::now) tells the time, [`park`](Driver::park) sleeps
//! until something is ready or a timeout has passed, and an [`Unparker`] ends that sleep from any
//! thread. The clock belongs to the driver because the two must agree: a simulated driver parks by
//! setting its clock forward, and the scheduler on top cannot tell.
//!
//! [`ThreadDriver`] is the one that only sleeps, on a condition variable. The proactor's driver
//! waits for io_uring as well.
//!
//! # How tasks wait
//!
//! | | waiting | waking | counterpart in asyncio |
//! |---|---|---|---|
//! | [`postbox()`] | one task, for one value | the same thread | `loop.create_future()` |
//! | [`remote_postbox()`] | one task, for one value | any thread | `asyncio.wrap_future` |
//! | [`Postbox::shared`] | many tasks, for one value | as its postbox | `Future`, awaited by several |
//! | [`AtomicWaker`] | one task, for anything | any threads | `call_soon_threadsafe` |
//! | [`WaitList`] | many tasks, in order | the same thread | the deque inside a lock |
//!
//! All of them follow two rules. A waker is foreign code, so it is cloned, woken and dropped only
//! while no lock is held and no borrow is alive: a waker may use the very thing that wakes it. And
//! a waiter may go at any time: dropping a future takes its waker away, and a value that comes too
//! late goes back to whoever sent it.
//!
//! [`future`] has the combinators that need no runtime: [`race`](future::race()) and
//! [`join`](future::join()). [`panics`] is for whoever calls several pieces of foreign code, all of
//! which have to run.
//!
//! # A whole runtime
//!
//! One future, polled whenever its waker was woken, on a driver that sleeps in between. A waker of
//! this runtime unparks the driver, from whichever thread it is woken.
//!
//! ```
//! use ringloop_core::{Driver, ThreadDriver, Unparker, remote_postbox};
//! use std::pin::pin;
//! use std::sync::Arc;
//! use std::task::{Context, Poll, Wake, Waker};
//!
//! struct Alarm(Unparker);
//!
//! impl Wake for Alarm {
//!     fn wake(self: Arc<Self>) {
//!         self.0.unpark();
//!     }
//! }
//!
//! fn block_on<F: Future>(future: F) -> std::io::Result<F::Output> {
//!     let mut driver = ThreadDriver::new();
//!     let waker = Waker::from(Arc::new(Alarm(driver.unparker())));
//!     let mut future = pin!(future);
//!     loop {
//!         if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
//!             return Ok(output);
//!         }
//!         driver.park(None)?;
//!     }
//! }
//!
//! fn main() -> std::io::Result<()> {
//!     let (setter, answer) = remote_postbox();
//!     let worker = std::thread::spawn(move || setter.set(6 * 7));
//!     let answer = block_on(async { answer.await })?;
//!     assert_eq!(answer, Ok(42));
//!     assert!(worker.join().is_ok());
//!     Ok(())
//! }
//! ```

#![deny(unsafe_code)]

mod driver;
mod thread_driver;

mod block_on;

mod postbox;

mod atomic_waker;
mod slots;
mod wait_list;

pub mod future;
pub mod panics;

mod loom;

pub use atomic_waker::AtomicWaker;
pub use block_on::block_on;
pub use driver::{Driver, Unpark, Unparker};
pub use postbox::{
    Abandoned, CallbackKey, Postbox, RemotePostbox, RemoteSetter, Setter, SharedPostbox,
    SharedRemotePostbox, postbox, remote_postbox,
};
pub use thread_driver::ThreadDriver;
pub use wait_list::{WaitKey, WaitList};

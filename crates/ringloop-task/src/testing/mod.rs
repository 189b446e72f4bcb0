//! Tests without sleeping: virtual time, waiting until nothing moves, tasks in a given order.
//!
//! [`VirtualDriver`] is a driver whose clock moves only when nothing else can: a test of an hour's
//! timeout takes microseconds, and the same test runs in the same order every time.
//! [`settle`](fn@settle) waits until every other task is blocked, so a test needs no guess at how
//! many turns something takes. [`Sequencer`] makes several tasks take turns in the order of
//! numbers. Counterparts: `trio.testing.MockClock`, `wait_all_tasks_blocked` and `Sequencer`.
//!
//! ```
//! use ringloop_task::testing::VirtualDriver;
//! use ringloop_task::{Scheduler, time};
//! use std::time::Duration;
//!
//! const HOUR: Duration = Duration::from_secs(3600);
//!
//! Scheduler::new(VirtualDriver::new()).block_on(async {
//!     let before = time::now();
//!     assert!(time::timeout(HOUR, time::sleep(2 * HOUR)).await.is_err());
//!     assert_eq!(time::now() - before, HOUR);
//! });
//! ```

mod sequencer;
mod settle;
mod virtual_clock;
mod virtual_driver;

pub use sequencer::{SequenceError, Sequencer, Step, StepWait};
pub use settle::{Settle, settle};
pub use virtual_clock::VirtualClock;
pub use virtual_driver::VirtualDriver;

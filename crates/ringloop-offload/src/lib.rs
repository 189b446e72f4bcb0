//! Blocking and CPU-bound work, out of an async task and back, under any runtime.
//!
//! An event loop must not run what blocks or computes for long. [`offload_on`] hands a closure to
//! an [`Executor`] and returns a future for its result:
//!
//! ```text
//!   task                          executor
//!   offload_on(&pool, f) ──Job──▶ queue ──▶ a thread runs f
//!   Offload<T>.await     ◀──result, panic or refusal──┘   (and a std Waker)
//! ```
//!
//! It needs nothing from the runtime but `std::task::Waker`, and it knows no ring, no timer and no
//! task. Counterpart: `loop.run_in_executor` of asyncio, with an answer to what becomes of the work
//! when nobody waits for it any more:
//!
//! | the job is | [`Offload::cancel`] | the [`Offload`] is dropped |
//! |---|---|---|
//! | queued | it never runs; the future says so | it never runs |
//! | running | its [`Interrupt`] is requested; the future waits for its result | likewise; the result is dropped where it was made |
//! | ended | no effect: the value wins | the value is dropped |
//!
//! - What a closure captures is dropped exactly once: by the call, or by whoever cancels or rejects.
//! - A panic comes home as an [`OffloadError`]; the thread that ran the job goes on.
//! - A job that nobody can run is rejected, at once or when its executor goes away. No waiter is
//!   left hanging.
//! - A thread is free when its job ends, not when the waiter leaves.
//!
//! [`ThreadPool::blocking`] is an elastic, bounded pool whose idle threads leave;
//! [`CpuPool`] has one thread per core. Anything that can run a [`Job`] is an executor, too.
//!
//! A closure that borrows cannot wait in a future, which can be forgotten. In a job, [`scope()`] runs
//! such closures on an executor and blocks until they have ended.
//!
//! A [`Limiter`] in front of an executor bounds the jobs of one purpose, and [`map_on`] runs one
//! closure over many items, a few at a time.
//!
//! # Reading order
//!
//! `offload` (the future), `executor` (the seam), `job` (a closure on its way), `interrupt`, then
//! `pool/`: `thread_pool`, `crew`, `roster`; `cpu/`; `limiter/`, `map/`; `scope/`.
//!
//! # Examples
//!
//! A whole runtime in a dozen lines, the pool of this crate, and an executor of one's own:
//!
//! ```
//! use ringloop_offload::{Executor, Job, OffloadError, ThreadPool, offload_on};
//! use std::pin::pin;
//! use std::sync::{Arc, mpsc};
//! use std::task::{Context, Poll, Wake};
//! use std::thread::{self, Thread};
//!
//! struct Unpark(Thread);
//!
//! impl Wake for Unpark {
//!     fn wake(self: Arc<Self>) {
//!         self.0.unpark();
//!     }
//! }
//!
//! fn block_on<F: Future>(future: F) -> F::Output {
//!     let mut future = pin!(future);
//!     let waker = Arc::new(Unpark(thread::current())).into();
//!     loop {
//!         match future.as_mut().poll(&mut Context::from_waker(&waker)) {
//!             Poll::Ready(output) => return output,
//!             Poll::Pending => thread::park(),
//!         }
//!     }
//! }
//!
//! /// One thread that runs every job: for a library that wants all its calls on the same thread.
//! struct Dedicated(mpsc::Sender<Job>);
//!
//! impl Dedicated {
//!     fn new() -> Self {
//!         let (sender, jobs) = mpsc::channel::<Job>();
//!         thread::spawn(move || jobs.into_iter().for_each(Job::run));
//!         Self(sender)
//!     }
//! }
//!
//! impl Executor for Dedicated {
//!     fn execute(&self, job: Job) -> Result<(), Job> {
//!         self.0.send(job).map_err(|unsent| unsent.0)
//!     }
//! }
//!
//! fn main() -> Result<(), OffloadError> {
//!     let pool = ThreadPool::blocking();
//!     let dedicated = Dedicated::new();
//!     block_on(async {
//!         let sum = offload_on(&pool, || (1..=1000).sum::<u64>());
//!         let thread = offload_on(&dedicated, || thread::current().id());
//!         assert_eq!(sum.await?, 500_500);
//!         assert_ne!(thread.await?, thread::current().id());
//!
//!         let error = offload_on(&pool, || panic!("no such table")).await.unwrap_err();
//!         assert_eq!(error.panic_message(), Some("no such table"));
//!         Ok(())
//!     })
//! }
//! ```

#![deny(unsafe_code)]

mod builder;
mod clock;
mod contain;
mod cpu;
mod error;
mod executor;
mod from_fn;
mod interrupt;
mod interrupted;
mod job;
mod limiter;
mod loom;
mod map;
mod offload;
mod pool;
#[cfg(feature = "rayon")]
mod rayon_pool;
mod scope;
mod wait;

pub use builder::Builder;
pub use cpu::{CpuPool, CpuPoolBuilder};
pub use error::OffloadError;
pub use executor::Executor;
pub use from_fn::{FromFn, from_fn};
pub use interrupt::{Interrupt, Requested};
pub use interrupted::Interrupted;
pub use job::Job;
pub use limiter::{Limited, Limiter, LimiterStats};
pub use map::{Map, MapMeter, MapProgress, map_on};
pub use offload::{Offload, offload_on};
pub use pool::{
    Histogram, PoolBuilder, PoolError, PoolHandle, PoolStats, QueuedJob, RunningJob,
    ShutdownReport, Stall, ThreadPool,
};
#[cfg(feature = "rayon")]
pub use rayon_pool::Rayon;
pub use scope::{Scope, ScopedJob, scope};

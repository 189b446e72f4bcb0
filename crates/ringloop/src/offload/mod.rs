//! Work that would block the loop, out to a thread and back.
//!
//! [`offload()`] is for work that waits (files, name look-ups, a library that blocks), [`cpu`] for
//! work that computes, [`offload_on`] for an [`Executor`] of one's own. The closure starts as soon
//! as a thread is free, whether or not the result is awaited. [`Builder`] gives it a name, and a
//! [`Limiter`] keeps jobs of one kind to so many at once. [`map()`] and [`cpu_map`] run a closure over
//! many items.
//!
//! # Inside of a job
//!
//! - The values of [task locals](crate::local) that are declared `traveling` are there.
//! - [`Interrupt`] tells whether somebody wants the job to stop: its await was cancelled, and then
//!   [`Interrupt::reason`] is the [`Cancelled`](crate::Cancelled) that says why, or dropped.
//! - [`remote`] is the way to the loop, and [`block_on`] runs a future there and waits for it.
//!
//! ```
//! use ringloop::Cancelled;
//! use ringloop::offload::Interrupt;
//!
//! ringloop::task_local! {
//!     traveling static REQUEST: u64;
//! }
//!
//! # ringloop::run(async {
//! REQUEST.set(7);
//! # let (started, has_started) = std::sync::mpsc::channel();
//! let work = ringloop::offload(move || {
//!     # started.send(()).unwrap();
//!     let interrupt = Interrupt::current();
//!     while !interrupt.is_requested() {
//!         std::thread::yield_now(); // A piece of the work.
//!     }
//!     let reason = interrupt.reason().expect("the await was cancelled");
//!     let cancelled: &Cancelled = reason.downcast_ref().expect("it comes from a scope");
//!     format!("request {}: {}", REQUEST.get(), cancelled.reason())
//! });
//! let task = ringloop::spawn(work);
//! ringloop::task::yield_now().await?;
//! # has_started.recv().unwrap();
//! task.cancel("the client has left");
//! // Running work is waited for, and its result wins.
//! assert_eq!(task.await??, "request 7: the client has left");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })??;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod from_thread;
mod link;
mod luggage;
mod map;
mod offloaded;
mod pools;
mod scope;
mod watched;

pub use builder::Builder;
pub use from_thread::{FromThreadError, block_on, remote};
pub(crate) use link::Link;
pub use map::{Map, cpu_map, map, map_on};
pub use offloaded::Offloaded;
pub(crate) use pools::{Pools, PoolsEnd};
#[doc(inline)]
pub use ringloop_offload::{
    CpuPool, CpuPoolBuilder, Executor, Histogram, Interrupt, Interrupted, Job, Limited, Limiter,
    LimiterStats, MapMeter, MapProgress, OffloadError, PoolBuilder, PoolError, PoolHandle,
    PoolStats, QueuedJob, RunningJob, Scope, ScopedJob, Stall, ThreadPool,
};
pub use scope::{scope, scope_on};

/// Runs `f` on the elastic pool for blocking work. Counterpart: `asyncio.to_thread`.
///
/// # Errors
///
/// The future gives an [`OffloadError`]; see [`Offloaded`].
///
/// # Panics
///
/// Outside of a runtime and of what it has offloaded.
///
/// # Cancel safety
///
/// Cancelled or dropped while `f` is queued, `f` never runs. Cancelled while it runs, the await
/// waits for it, and [`Interrupt::is_requested`] tells `f`; the result wins. Dropped while it
/// runs, the result is dropped on the worker.
///
/// # Examples
///
/// ```
/// # ringloop::run(async {
/// let text = ringloop::offload(|| std::fs::read_to_string("/proc/self/comm")).await??;
/// assert!(!text.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "to_thread")]
#[doc(alias = "run_in_executor")]
#[doc(alias = "spawn_blocking")]
#[track_caller]
pub fn offload<T, F>(f: F) -> Offloaded<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().offload(f)
}

/// Runs `f` on the pool for computing work, which has as many threads as there are cores.
///
/// # Errors
///
/// The future gives an [`OffloadError`]; see [`Offloaded`].
///
/// # Panics
///
/// Outside of a runtime and of what it has offloaded.
///
/// # Cancel safety
///
/// As [`offload()`].
///
/// # Examples
///
/// ```
/// # ringloop::run(async {
/// let sum = ringloop::offload::cpu(|| (1..=1000_u64).sum::<u64>()).await?;
/// assert_eq!(sum, 500_500);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })??;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[track_caller]
pub fn cpu<T, F>(f: F) -> Offloaded<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().cpu(f)
}

/// Runs `f` on any executor. Counterpart: `loop.run_in_executor`.
///
/// # Errors
///
/// The future gives an [`OffloadError`]; see [`Offloaded`].
///
/// # Cancel safety
///
/// As [`offload()`].
#[track_caller]
#[doc(alias = "run_in_executor")]
pub fn offload_on<E, T, F>(executor: &E, f: F) -> Offloaded<T>
where
    E: Executor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().offload_on(executor, f)
}

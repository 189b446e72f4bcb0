//! A pool of threads: elastic for blocking work, or of a fixed size.
//!
//! | file | noun |
//! |---|---|
//! | `thread_pool` | [`ThreadPool`]: the handle that owns a pool |
//! | `handle` | [`PoolHandle`]: a way in that does not own it |
//! | `builder` | [`PoolBuilder`]: its knobs |
//! | `config` | what the builder has gathered |
//! | `crew` | the threads: how they start, what they run, how they leave |
//! | `crew/watch` | the thread that looks after jobs that wait too long |
//! | `roster/` | who waits for whom: the queue, the idle workers, the one on its way |
//! | `bell` | how a worker sleeps until it is wanted |
//! | `lookout` | whether an idle worker looks for work before it sleeps |
//! | `ledger` | which jobs run, and what became of the others |
//! | `histogram` | [`Histogram`]: how long things took |
//! | `stats` | [`PoolStats`]: plain data |
//! | `report` | [`ShutdownReport`] and [`RunningJob`]: what a shutdown left |
//! | `stall` | [`Stall`]: a job that waits too long |
//! | `error` | [`PoolError`]: why a pool takes no job |

mod thread_pool;

mod handle;

mod builder;
mod config;

mod crew;
mod roster;

mod bell;
mod lookout;

mod ledger;

mod error;
mod histogram;
mod report;
mod stall;
mod stats;

pub use builder::PoolBuilder;
pub use error::PoolError;
pub use handle::PoolHandle;
pub use histogram::Histogram;
pub use report::{RunningJob, ShutdownReport};
pub use stall::{QueuedJob, Stall};
pub use stats::PoolStats;
pub use thread_pool::ThreadPool;

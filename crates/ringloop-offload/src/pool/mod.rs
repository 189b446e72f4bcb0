//! A pool of threads: elastic for blocking work, or of a fixed size.
//!
//! | file | noun |
//! |---|---|
//! | `thread_pool` | [`ThreadPool`]: the handle that owns a pool |
//! | `handle` | [`PoolHandle`]: a way in that does not own it |
//! | `builder` | [`PoolBuilder`]: its knobs |
//! | `crew` | the queue and the workers that share it |
//! | `stats` | [`PoolStats`] and [`ShutdownReport`]: plain data |
//! | `error` | [`PoolError`]: why a pool takes no job |

mod thread_pool;

mod builder;
mod crew;
mod error;
mod handle;
mod stats;

pub use builder::PoolBuilder;
pub use error::PoolError;
pub use handle::PoolHandle;
pub use stats::{PoolStats, ShutdownReport};
pub use thread_pool::ThreadPool;

//! The pool for work that computes.
//!
//! | file | noun |
//! |---|---|
//! | `cpu_pool` | [`CpuPool`]: the handle that owns the pool |
//! | `builder` | [`CpuPoolBuilder`]: its knobs |
//! | `handle` | [`CpuHandle`]: a way in that does not own it |

mod cpu_pool;

mod builder;
mod handle;

pub use builder::CpuPoolBuilder;
pub use cpu_pool::CpuPool;
pub use handle::CpuHandle;

//! The pool for work that computes.
//!
//! | file | noun |
//! |---|---|
//! | `cpu_pool` | [`CpuPool`]: the handle that owns the pool |
//! | `builder` | [`CpuPoolBuilder`]: its knobs |
//!
//! Underneath is a [`ThreadPool`](crate::ThreadPool): one queue for all workers.
//! `docs/decisions/0021` says why not one for each.

mod cpu_pool;

mod builder;

pub use builder::CpuPoolBuilder;
pub use cpu_pool::CpuPool;

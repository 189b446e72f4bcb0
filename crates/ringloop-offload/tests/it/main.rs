//! What the crate promises, seen from outside.

mod adapt;
mod cancel;
mod cpu;
mod interrupt;
mod limiter;
mod map;
mod name;
mod pool;
mod reject;
mod result;
mod scope;
mod shutdown;
mod stress;
mod support;
mod types;
mod wait;

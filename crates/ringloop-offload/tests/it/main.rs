//! What the crate promises, seen from outside.

mod abandon;
mod adapt;
mod balance;
mod cancel;
mod cpu;
mod fuses;
mod interrupt;
mod limiter;
mod map;
mod name;
mod pool;
mod reject;
mod result;
mod scope;
mod shutdown;
mod stall;
mod stats;
mod stress;
mod support;
mod threads;
mod types;
mod wait;

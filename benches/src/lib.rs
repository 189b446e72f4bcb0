//! The parts of the program `ringloop-bench`: what ringloop costs on this machine.
//!
//! Every piece of work is done by several [`contestants`]: the *floor*, which does it on a bare
//! ring or with plain data structures, and runtimes; or, below the scheduler, by operations. The [`runner`] lets them take turns, the
//! [`report`] shows medians and ratios. The criterion benchmarks use the same contestants.
//!
//! Unsafe code is confined to [`ring`] (the kernel's queues), [`process`] (processors, children,
//! eventfds), [`allocations`], and two implementations of other people's unsafe traits. The package
//! is not published.

#![deny(unsafe_code)]

pub mod allocations;
pub mod benchmarks;
pub mod client;
pub mod clock;
pub mod contestants;
pub mod criterion_time;
pub mod enters;
pub mod grain;
pub mod icount;
pub mod meter;
pub mod options;
pub mod process;
pub mod progress;
pub mod report;
pub mod ring;
pub mod runner;
pub mod samples;
pub mod scratch;
pub mod server;
pub mod threads;
pub mod tools;

//! Random programs on the simulated ring, see `program/mod.rs`.

#![no_main]
#![forbid(unsafe_code)]

#[path = "../../tests/it/sim/program/mod.rs"]
mod program;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| program::run(bytes));

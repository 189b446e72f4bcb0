//! Streams of any bytes, read and written in any way, see `io_bytes/mod.rs`.

#![no_main]
#![forbid(unsafe_code)]

#[path = "../../../ringloop/tests/it/io_bytes/mod.rs"]
mod io_bytes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| io_bytes::run(bytes));

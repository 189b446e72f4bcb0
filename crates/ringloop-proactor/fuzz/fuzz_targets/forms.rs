//! Bytes as addresses and ancillary data, see `forms.rs`.

#![no_main]
#![forbid(unsafe_code)]

#[path = "../../tests/it/forms.rs"]
mod forms;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| forms::run(bytes));

//! What a task costs.

use std::future::{Ready, pending};
use std::mem::size_of;

use crate::task::JoinHandle;
use crate::task::cell::TaskCell;
use crate::task::header::Header;
use crate::time::{Sleep, sleep};

fn cell_len_bytes<F: Future>(_: fn() -> F) -> usize {
    size_of::<TaskCell<F>>()
}

#[test]
fn header_is_small() {
    assert!(size_of::<Header>() <= 112, "{}", size_of::<Header>());
}

#[test]
fn output_takes_the_place_of_the_future() {
    let overhead = size_of::<Header>() + 2 * size_of::<usize>();
    assert!(size_of::<TaskCell<Ready<[u8; 256]>>>() <= overhead + 256 + size_of::<usize>());
    assert!(cell_len_bytes(pending::<[u8; 256]>) <= overhead + 256);
}

#[test]
fn sleeping_task_is_small() {
    let task = cell_len_bytes(|| sleep(std::time::Duration::ZERO));
    assert!(size_of::<Sleep>() <= 64, "{}", size_of::<Sleep>());
    assert!(task < 200 + size_of::<Sleep>(), "{task}");
}

#[test]
fn join_handle_is_small() {
    assert!(size_of::<JoinHandle<[u8; 256]>>() <= 32);
}

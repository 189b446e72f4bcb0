//! The task of the future that `block_on` was given.
//!
//! The main future stays where the caller pinned it and may borrow from there; the task that
//! polls it holds a pointer to it, and the task ends before `block_on` returns, however it does.

#![expect(
    unsafe_code,
    reason = "a borrowed future is made to look like a task's own for a while"
)]

use std::mem;
use std::panic::Location;
use std::pin::Pin;

use super::error::JoinError;
use super::header::{MAIN, RUNNING};
use super::join::JoinHandle;
use super::spawn;
use crate::home::Home;

/// Runs `drive` while `future` is a task of the scheduler. The task is gone afterwards.
pub(crate) fn with_root<R>(
    home: &Home,
    at: &'static Location<'static>,
    future: Pin<&mut (dyn Future<Output = ()> + '_)>,
    drive: impl FnOnce(&mut JoinHandle<()>) -> R,
) -> R {
    // SAFETY: I8: the guard below drops this pointer before the borrow that it was made from
    // ends, also on a panic, and nothing else reaches the future meanwhile.
    let future = unsafe {
        mem::transmute::<
            Pin<&mut (dyn Future<Output = ()> + '_)>,
            Pin<&'static mut (dyn Future<Output = ()> + 'static)>,
        >(future)
    };
    let mut root = Root {
        home,
        handle: JoinHandle::new(spawn::start(home, at, None, future)),
    };
    root.handle.task().0.header().flags.set(MAIN);
    drive(&mut root.handle)
}

/// The main task; ends it when dropped.
struct Root<'a> {
    home: &'a Home,
    handle: JoinHandle<()>,
}

impl Drop for Root<'_> {
    fn drop(&mut self) {
        let task = self.handle.task();
        if task.0.header().flags.has(RUNNING) {
            // A panic is leaving the loop through the poll of the main task. The loop catches
            // those, so this cannot be; if it is, the future must not be left half used.
            std::process::abort();
        }
        task.0.kill(self.home, JoinError::aborted(task.id()));
    }
}

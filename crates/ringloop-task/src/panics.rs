//! Foreign code of several owners, all of which has to run.

use std::any::Any;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

/// Runs one piece of foreign code after the other, whatever each does, and then passes on the
/// first panic.
#[derive(Default)]
pub(crate) struct Panics {
    first: Option<Box<dyn Any + Send>>,
}

impl Panics {
    /// Runs `code`.
    pub(crate) fn catch(&mut self, code: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(code)) {
            match self.first {
                None => self.first = Some(payload),
                Some(_) => drop_quietly(payload),
            }
        }
    }

    /// Goes on with the first panic, if there was one. A thread that panics already goes on with
    /// its own.
    pub(crate) fn resume(self) {
        match self.first {
            None => {}
            Some(payload) if thread::panicking() => drop_quietly(payload),
            Some(payload) => resume_unwind(payload),
        }
    }
}

/// Drops a payload, which may be of a type that panics once more.
pub(crate) fn drop_quietly(payload: Box<dyn Any + Send>) {
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    // A payload whose drop panics with such a payload is not pursued any further.
    let _unread = ManuallyDrop::new(dropped);
}

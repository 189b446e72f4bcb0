//! One closure of a scope, and then its result.
//!
//! Whoever claims an errand runs it. The result stays here until it is taken, or until the last
//! reference goes.

use std::mem;

use crate::contain::{Payload, catch};
use crate::loom::atomic::{AtomicBool, Ordering};
use crate::loom::{Mutex, lock};

/// An errand whose closure and result types are forgotten.
pub(super) trait Errand: Send + Sync {
    /// Makes the caller the one who runs it. `false`: somebody else is.
    fn claim(&self) -> bool;

    fn is_claimed(&self) -> bool;

    /// Runs a claimed errand, once. Returns the payload if the closure panicked.
    fn run(&self) -> Option<Payload>;
}

/// An errand of which the closure is forgotten.
pub(super) trait Yields<T>: Errand {
    /// Returns what came of it, if it has ended. A result is there once.
    fn take(&self) -> Option<Yield<T>>;

    fn has_ended(&self) -> bool;
}

/// What came of an errand.
pub(super) enum Yield<T> {
    Value(T),
    /// The team has the payload, or is about to get it.
    Panic,
}

pub(super) struct Cell<F, T> {
    // Relaxed: it says who, and what it is about is behind the mutex.
    is_claimed: AtomicBool,
    stage: Mutex<Stage<F, T>>,
}

enum Stage<F, T> {
    Queued(F),
    Running,
    Returned(T),
    Panicked,
    Taken,
}

impl<F, T> Cell<F, T> {
    pub(super) fn new(f: F) -> Self {
        Self {
            is_claimed: AtomicBool::new(false),
            stage: Mutex::new(Stage::Queued(f)),
        }
    }
}

impl<F, T> Errand for Cell<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    fn claim(&self) -> bool {
        !self.is_claimed.swap(true, Ordering::Relaxed)
    }

    fn is_claimed(&self) -> bool {
        self.is_claimed.load(Ordering::Relaxed)
    }

    fn run(&self) -> Option<Payload> {
        let before = mem::replace(&mut *lock(&self.stage), Stage::Running);
        let Stage::Queued(f) = before else {
            unreachable!("an errand is claimed once");
        };
        let (after, payload) = match catch(f) {
            Ok(value) => (Stage::Returned(value), None),
            Err(payload) => (Stage::Panicked, Some(payload)),
        };
        *lock(&self.stage) = after;
        payload
    }
}

impl<F, T> Yields<T> for Cell<F, T>
where
    F: FnOnce() -> T + Send,
    T: Send,
{
    fn take(&self) -> Option<Yield<T>> {
        let mut stage = lock(&self.stage);
        match mem::replace(&mut *stage, Stage::Taken) {
            Stage::Returned(value) => Some(Yield::Value(value)),
            Stage::Panicked => Some(Yield::Panic),
            before @ (Stage::Queued(_) | Stage::Running | Stage::Taken) => {
                *stage = before;
                None
            }
        }
    }

    fn has_ended(&self) -> bool {
        !matches!(*lock(&self.stage), Stage::Queued(_) | Stage::Running)
    }
}

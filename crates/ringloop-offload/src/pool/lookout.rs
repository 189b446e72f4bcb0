//! Whether and how an idle worker looks for work before it sleeps.
//!
//! To put a thread to sleep and to wake it costs several microseconds, and most of them are the
//! waiter's. A worker that looks at a flag instead sees the next job at once, and its submitter
//! makes no system call. That pays only if the next job comes soon, so a worker remembers how long
//! it was idle lately: it looks only while the idle times are shorter than [`LOOK_MAX`], and a pool
//! that is idle looks once and then sleeps.
//!
//! Looking takes a core from somebody who may need it. Hence at most one worker of a pool looks at
//! a time, it offers its core with every round, and if somebody took it for long, looking has cost
//! more than it may bring: the worker does not look again for a while, and for longer each time.
//! That is also what happens where all threads share one core.

use std::hint;
use std::thread;
use std::time::Duration;

use crate::clock::Clock;
use crate::loom::atomic::{AtomicBool, Ordering};

/// What a worker knows about its idle times.
#[derive(Debug, Default)]
pub(super) struct Lookout {
    /// How many of the last idle times were short, less for each long one.
    credit: u32,
    /// Idle times to let pass without a look.
    pause: u32,
    /// The next pause, if a core is missed again.
    next_pause: u32,
}

impl Lookout {
    /// Returns whether a look will probably pay.
    pub(super) fn pays(&self) -> bool {
        self.credit >= CREDIT_ENOUGH && self.pause == 0
    }

    /// One that looks at once.
    #[cfg(all(test, loom))]
    pub(super) fn eager() -> Self {
        Self {
            credit: CREDIT_ENOUGH,
            ..Self::default()
        }
    }

    /// Takes note of an idle time that ended with a job.
    pub(super) fn note_idle(&mut self, idle: Duration) {
        self.pause = self.pause.saturating_sub(1);
        if idle <= LOOK_MAX {
            self.credit = CREDIT_MAX.min(self.credit + 1);
        } else {
            self.credit /= 2;
        }
    }

    /// Looks at `is_called` until it is set, the time is up, or somebody else needs the core.
    pub(super) fn look(&mut self, is_called: &AtomicBool, clock: &Clock) {
        if cfg!(loom) {
            // A model knows no time: it looks once, at any moment.
            spin(is_called);
            return;
        }
        let start = clock.now();
        let mut before = start;
        while !spin(is_called) {
            if before.since(start) >= LOOK_MAX {
                return;
            }
            thread::yield_now();
            let after = clock.now();
            if after.since(before) > ROUND_MAX {
                self.back_off(is_called);
                return;
            }
            before = after;
        }
        self.next_pause = self.next_pause.saturating_sub(1);
    }

    fn back_off(&mut self, is_called: &AtomicBool) {
        if is_called.load(Ordering::Relaxed) {
            return;
        }
        self.next_pause = PAUSE_MAX.min(self.next_pause * 2 + PAUSE_MIN);
        self.pause = self.next_pause;
    }
}

/// Looks at the flag for about a microsecond.
fn spin(is_called: &AtomicBool) -> bool {
    (0..ROUND_LEN).any(|_| {
        hint::spin_loop();
        // Relaxed: what it is about is read under the roster's lock.
        is_called.load(Ordering::Relaxed)
    })
}

/// How long a look lasts, and the longest idle time that it could have bridged.
const LOOK_MAX: Duration = Duration::from_micros(40);
/// A round of a look that takes longer was not ours: the core was needed elsewhere.
const ROUND_MAX: Duration = Duration::from_micros(20);
const ROUND_LEN: usize = if cfg!(loom) { 1 } else { 32 };
const CREDIT_ENOUGH: u32 = 2;
const CREDIT_MAX: u32 = 8;
const PAUSE_MIN: u32 = 16;
const PAUSE_MAX: u32 = 4096;

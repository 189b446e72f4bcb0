//! When to accept again after descriptors or memory have run out.

use std::io;
use std::time::{Duration, Instant};

use ringloop_proactor::Acceptor;

/// What an error of `accept` says about the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It was the error of one connection, which is gone.
    Again,
    /// It stays until somebody gives something back.
    Exhausted,
    /// It stays.
    Fatal,
}

impl Verdict {
    pub(super) fn of(error: &io::Error) -> Self {
        match error.raw_os_error() {
            _ if Acceptor::is_passing(error) => Self::Again,
            Some(errno) if OF_ONE.contains(&errno) => Self::Again,
            Some(errno) if EXHAUSTED.contains(&errno) => Self::Exhausted,
            _ => Self::Fatal,
        }
    }
}

/// The waits between attempts in vain.
#[derive(Debug)]
pub(super) struct Backoff {
    since: Instant,
    attempts: u64,
    delay: Duration,
}

impl Backoff {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            attempts: 0,
            delay: FIRST,
        }
    }

    /// An attempt was in vain. Returns how long to wait for the next one.
    pub(super) fn next(&mut self) -> Duration {
        self.attempts += 1;
        let delay = self.delay;
        self.delay = (2 * delay).min(LONGEST);
        delay
    }

    /// Something was given back: it may take a moment until the kernel has it.
    pub(super) fn hurry(&mut self) {
        self.delay = FIRST;
    }

    pub(super) fn attempts(&self) -> u64 {
        self.attempts
    }

    pub(super) fn since(&self) -> Instant {
        self.since
    }
}

/// What is of one connection as well: the errors of a packet filter, which may be those of all, and
/// of listeners that do more than to accept.
const OF_ONE: [i32; 2] = [libc::EPERM, libc::ECONNRESET];
const EXHAUSTED: [i32; 4] = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
const FIRST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_secs(1);

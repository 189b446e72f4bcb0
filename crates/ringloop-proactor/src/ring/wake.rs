//! The awake/asleep/notified word and the eventfd behind the proactor's unparker.
//!
//! A wake of a running loop costs one atomic swap. Only a sleeping loop costs a system call: the
//! eventfd is watched by one multishot poll of the ring and never read. Where the ring cannot poll,
//! the loop sleeps on the eventfd itself.
//!
//! # States
//!
//! | from | event | to | eventfd |
//! |---|---|---|---|
//! | awake | `unpark` | notified | — |
//! | awake | loop goes to sleep | asleep | — |
//! | asleep | `unpark` | notified | written |
//! | notified | `unpark` | notified | — |
//! | notified | loop goes to sleep | awake, does not sleep | — |
//! | asleep, notified | loop wakes up | awake | — |
//!
//! # Ordering
//!
//! `unpark` releases what its caller did before (a task put on a queue); the loop acquires it when
//! it swaps the word on its way out of, or instead of, a sleep.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use ringloop_core::Unpark;

const AWAKE: u8 = 0;
const ASLEEP: u8 = 1;
const NOTIFIED: u8 = 2;

/// Whether the loop sleeps, and how to end that.
#[derive(Debug)]
pub(crate) struct SleepWord {
    word: AtomicU8,
    eventfd: OwnedFd,
}

impl SleepWord {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            word: AtomicU8::new(AWAKE),
            eventfd: eventfd()?,
        })
    }

    /// Announces a sleep. Returns `false` if a wake came first: then there must be no sleep.
    pub(crate) fn fall_asleep(&self) -> bool {
        // Ordering: Acquire pairs with the Release in `unpark`, so that a loop that is told not to
        // sleep sees what it was woken for.
        let slept = self
            .word
            .compare_exchange(AWAKE, ASLEEP, Ordering::AcqRel, Ordering::Acquire)
            .is_ok();
        if !slept {
            self.wake_up();
        }
        slept
    }

    /// Ends a sleep, or takes a notification that came while awake.
    pub(crate) fn wake_up(&self) {
        // Ordering: Acquire pairs with the Release in `unpark`.
        self.word.swap(AWAKE, Ordering::AcqRel);
    }

    /// Takes a notification that came while awake, if there is one.
    #[inline]
    pub(crate) fn take_notification(&self) {
        // Ordering: Relaxed is enough to look; `wake_up` acquires.
        if self.word.load(Ordering::Relaxed) == NOTIFIED {
            self.wake_up();
        }
    }

    /// Whether a wake came while awake.
    pub(crate) fn is_notified(&self) -> bool {
        // Ordering: Relaxed is enough to look; `wake_up` acquires.
        self.word.load(Ordering::Relaxed) == NOTIFIED
    }

    /// Sleeps without the ring until the eventfd is written, for `timeout` at most; between
    /// [`fall_asleep`](Self::fall_asleep) and [`wake_up`](Self::wake_up).
    pub(crate) fn sleep(&self, timeout: Option<Duration>) -> io::Result<()> {
        let woken = poll(&self.eventfd, timeout)?;
        if woken {
            silence_the_bell(&self.eventfd);
        }
        Ok(())
    }

    pub(crate) fn raw_eventfd(&self) -> RawFd {
        self.eventfd.as_raw_fd()
    }
}

impl Unpark for SleepWord {
    fn unpark(&self) {
        // Ordering: Release pairs with the Acquire of the loop's next look at the word.
        if self.word.swap(NOTIFIED, Ordering::AcqRel) == ASLEEP {
            ring_the_bell(&self.eventfd);
        }
    }
}

#[expect(unsafe_code, reason = "eventfd(2) has no wrapper in std")]
fn eventfd() -> io::Result<OwnedFd> {
    // SAFETY: the call takes two integers and touches no memory.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just made this descriptor for us, nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[expect(unsafe_code, reason = "write(2) to an eventfd needs no File")]
fn ring_the_bell(eventfd: &OwnedFd) {
    let one = 1_u64;
    // SAFETY: eight bytes are read from a live local. A full counter (EAGAIN) means that the loop
    // has been woken 2^64 times without noticing once; its poll is still readable then.
    unsafe {
        libc::write(
            eventfd.as_raw_fd(),
            (&raw const one).cast(),
            size_of::<u64>(),
        )
    };
}

/// `ppoll(2)` of one eventfd. `false`: the time has passed, or a signal came.
#[expect(unsafe_code, reason = "ppoll(2) has no wrapper in std")]
fn poll(eventfd: &OwnedFd, timeout: Option<Duration>) -> io::Result<bool> {
    let mut poll = libc::pollfd {
        fd: eventfd.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let timespec = timeout.map(|timeout| libc::timespec {
        tv_sec: timeout.as_secs().try_into().unwrap_or(libc::time_t::MAX),
        tv_nsec: timeout.subsec_nanos().into(),
    });
    let timespec = timespec.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: one poll entry and one time, or none, are live locals.
    let count = unsafe { libc::ppoll(&raw mut poll, 1, timespec, ptr::null()) };
    if count >= 0 {
        return Ok(count > 0);
    }
    let error = io::Error::last_os_error();
    if error.kind() == io::ErrorKind::Interrupted {
        Ok(false)
    } else {
        Err(error)
    }
}

/// Takes what was written into an eventfd, so that it can wake again.
#[expect(unsafe_code, reason = "read(2) of an eventfd needs no File")]
fn silence_the_bell(eventfd: &OwnedFd) {
    let mut count = 0_u64;
    // SAFETY: eight bytes are written into a live local. An empty counter (EAGAIN) is silent.
    unsafe {
        libc::read(
            eventfd.as_raw_fd(),
            (&raw mut count).cast(),
            size_of::<u64>(),
        )
    };
}

#[cfg(test)]
mod tests;

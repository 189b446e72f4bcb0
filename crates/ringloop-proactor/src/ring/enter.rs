//! The call to `io_uring_enter(2)`, inlined: the one call that every turn of the loop makes.

#![expect(unsafe_code, reason = "a system call of its own")]

use std::ptr;
use std::time::Duration;

/// The ring to enter: a descriptor, or a registered index with [`REGISTERED_RING`] in the flags.
#[derive(Clone, Copy, Debug)]
pub(super) struct Door {
    pub(super) fd: i32,
    pub(super) flags: u32,
}

impl Door {
    /// Submits `queued` entries and waits for `want` completions, for `timeout` at most.
    ///
    /// Returns the count of entries taken, or a negated errno.
    #[inline]
    pub(super) fn enter(&self, queued: u32, want: u32, timeout: Option<Duration>) -> i64 {
        let Some(timeout) = timeout else {
            return enter(self.fd, queued, want, self.flags, ptr::null(), 0);
        };
        let timespec = Timespec::new(timeout);
        let arg = EnterArg {
            timespec: (&raw const timespec).expose_provenance() as u64,
            ..EnterArg::NONE
        };
        let flags = self.flags | EXT_ARG;
        let arg = &raw const arg;
        enter(self.fd, queued, want, flags, arg, size_of::<EnterArg>())
    }
}

/// `io_uring_enter(2)`: returns the count of entries taken, or a negated errno.
#[cfg(target_arch = "x86_64")]
#[inline]
fn enter(fd: i32, submit: u32, want: u32, flags: u32, arg: *const EnterArg, size: usize) -> i64 {
    let result: i64;
    // SAFETY: K2 (of `kernel`) for the memory that queued entries name; `arg` is null or points to
    // `size` live bytes. The kernel preserves every register but rax, rcx and r11.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") libc::SYS_io_uring_enter => result,
            in("rdi") i64::from(fd),
            in("rsi") u64::from(submit),
            in("rdx") u64::from(want),
            in("r10") u64::from(flags),
            in("r8") arg,
            in("r9") size,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// `io_uring_enter(2)`: returns the count of entries taken, or a negated errno.
#[cfg(not(target_arch = "x86_64"))]
fn enter(fd: i32, submit: u32, want: u32, flags: u32, arg: *const EnterArg, size: usize) -> i64 {
    // SAFETY: K2 (of `kernel`) for the memory that queued entries name; `arg` is null or points to
    // `size` live bytes.
    let result =
        unsafe { libc::syscall(libc::SYS_io_uring_enter, fd, submit, want, flags, arg, size) };
    if result >= 0 {
        return result.into();
    }
    i64::from(
        -std::io::Error::last_os_error()
            .raw_os_error()
            .unwrap_or(libc::EINVAL),
    )
}

/// `struct io_uring_getevents_arg`.
#[repr(C)]
struct EnterArg {
    sigmask: u64,
    sigmask_size: u32,
    min_wait_us: u32,
    timespec: u64,
}

impl EnterArg {
    const NONE: Self = Self {
        sigmask: 0,
        sigmask_size: 0,
        min_wait_us: 0,
        timespec: 0,
    };
}

/// `struct __kernel_timespec`.
#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

impl Timespec {
    fn new(duration: Duration) -> Self {
        Self {
            seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: duration.subsec_nanos().into(),
        }
    }
}

/// Runs what waits to be run, and lets completions into the queue.
pub(super) const GETEVENTS: u32 = 1 << 0;
/// Wakes the polling thread of a kernel-polled ring.
pub(super) const SQ_WAKEUP: u32 = 1 << 1;
/// Waits until the polling thread has made room in the submission queue.
pub(super) const SQ_WAIT: u32 = 1 << 2;
const EXT_ARG: u32 = 1 << 3;
/// The "descriptor" is an index of the thread's registered rings.
pub(super) const REGISTERED_RING: u32 = 1 << 4;
/// A wait is idle time, not time spent waiting for a disk.
pub(super) const NO_IOWAIT: u32 = 1 << 7;

const _: () = assert!(
    size_of::<EnterArg>() == 24,
    "the kernel's struct has 24 bytes"
);

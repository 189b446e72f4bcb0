//! A clock that is cheap to read and moves with the system's tick.

#![expect(unsafe_code, reason = "clock_gettime(2) has no coarse wrapper in std")]

/// Nanoseconds of `CLOCK_MONOTONIC_COARSE`, exact to a few milliseconds.
#[inline]
pub(crate) fn coarse_ns() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the kernel writes one timespec, a live local. It knows this clock since 2.6.32.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut time) };
    let seconds = time.tv_sec.unsigned_abs();
    seconds * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

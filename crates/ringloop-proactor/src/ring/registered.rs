//! A ring's descriptor, registered with its thread: entering by its index skips a look-up.
//!
//! A thread has 16 places. An index keeps its ring alive, so it is given back before the ring is
//! closed.

#![expect(unsafe_code, reason = "io_uring_register(2) has no wrapper for this")]

use std::os::fd::RawFd;

/// Registers the ring `fd` with this thread. `None`: its table of 16 is full.
pub(super) fn register(fd: RawFd) -> Option<i32> {
    let mut update = RingFdUpdate {
        index: u32::MAX,
        reserved: 0,
        fd: fd.unsigned_abs().into(),
    };
    // SAFETY: the kernel reads and writes one update struct, a live local.
    let count = unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            fd,
            REGISTER_RING_FDS,
            &raw mut update,
            1,
        )
    };
    if count == 1 {
        i32::try_from(update.index).ok()
    } else {
        None
    }
}

/// Gives an index back.
pub(super) fn unregister(fd: RawFd, index: i32) {
    let mut update = RingFdUpdate {
        index: index.unsigned_abs(),
        reserved: 0,
        fd: 0,
    };
    // SAFETY: the kernel reads one update struct, a live local.
    unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            fd,
            UNREGISTER_RING_FDS,
            &raw mut update,
            1,
        )
    };
}

/// `struct io_uring_rsrc_update`, as `IORING_REGISTER_RING_FDS` reads it.
#[repr(C)]
struct RingFdUpdate {
    index: u32,
    reserved: u32,
    fd: u64,
}

const REGISTER_RING_FDS: u32 = 20;
const UNREGISTER_RING_FDS: u32 = 21;

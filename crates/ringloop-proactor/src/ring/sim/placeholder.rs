//! Real descriptors that stand for simulated ones.
//!
//! User code owns an `OwnedFd` and closes a real number. So each simulated descriptor is one end of
//! a real pipe: its number is recycled as the kernel recycles numbers, duplicates of it are the
//! same file, and the end that the simulation keeps shows when the last of them is closed.

#![expect(
    unsafe_code,
    reason = "pipe2(2), fstat(2), poll(2) and close(2) have no wrappers for bare numbers"
)]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

/// What a number refers to: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity(u64, u64);

/// Makes a descriptor for user code, and what the simulation keeps of it.
pub(super) fn open() -> Result<(OwnedFd, OwnedFd), i32> {
    let mut ends = [-1; 2];
    // SAFETY: two integers are written to a live local.
    let made = unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) };
    if made < 0 {
        return Err(errno());
    }
    let [given, kept] = ends;
    // SAFETY: the kernel just made it for us, nobody else owns it.
    let given = unsafe { OwnedFd::from_raw_fd(given) };
    // SAFETY: the same.
    let kept = unsafe { OwnedFd::from_raw_fd(kept) };
    Ok((given, kept))
}

/// What `fd` refers to now; `None` if it is not open.
pub(super) fn identity(fd: RawFd) -> Option<Identity> {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: one struct is written to a live local; a bad number is an error.
    let told = unsafe { libc::fstat(fd, stat.as_mut_ptr()) };
    // SAFETY: the call has filled it if it says so.
    (told == 0)
        .then(|| unsafe { stat.assume_init_ref() })
        .map(|stat| Identity(stat.st_dev, stat.st_ino))
}

/// Which of `kept` have lost their other end.
pub(super) fn abandoned<'a>(kept: impl Iterator<Item = &'a OwnedFd>) -> Vec<bool> {
    let mut polls: Vec<libc::pollfd> = kept
        .map(|kept| libc::pollfd {
            fd: kept.as_raw_fd(),
            events: 0,
            revents: 0,
        })
        .collect();
    let count = libc::nfds_t::try_from(polls.len()).expect("descriptors are few");
    // SAFETY: the array is a live local of that many entries.
    unsafe { libc::poll(polls.as_mut_ptr(), count, 0) };
    polls
        .iter()
        .map(|poll| poll.revents & libc::POLLERR != 0)
        .collect()
}

/// Closes a number on behalf of a request.
pub(super) fn close(fd: RawFd) -> Result<(), i32> {
    // SAFETY: whoever submits a close gives the number up, as with the kernel's ring.
    let closed = unsafe { libc::close(fd) };
    if closed < 0 { Err(errno()) } else { Ok(()) }
}

/// Gives a descriptor away as a number, for a completion.
pub(super) fn number(fd: OwnedFd) -> RawFd {
    fd.into_raw_fd()
}

/// A second number for what `fd` refers to, which keeps it open.
pub(super) fn duplicate(fd: RawFd) -> Result<OwnedFd, i32> {
    // SAFETY: the call takes integers; a bad number is an error.
    let copy = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 0) };
    if copy < 0 {
        return Err(errno());
    }
    // SAFETY: the kernel just made it for us, nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(copy) })
}

pub(super) fn errno() -> i32 {
    io::Error::last_os_error()
        .raw_os_error()
        .unwrap_or(libc::EIO)
}

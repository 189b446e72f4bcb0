//! A completion queue entry as a plain struct.

use std::io;

/// The answer to a request: `struct io_uring_cqe` of `io_uring_enter(2)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the kernel's ABI fixes the fields"
)]
pub struct Cqe {
    /// What the request carried.
    pub user_data: u64,
    /// The result: zero or more on success, a negated errno otherwise.
    pub res: i32,
    /// `IORING_CQE_F_*`.
    pub flags: u32,
}

/// A provided buffer was picked; its id is in the upper half of the flags.
const F_BUFFER: u32 = 1 << 0;
/// More completions of this request will come.
const F_MORE: u32 = 1 << 1;
/// There was more to receive than was received.
const F_SOCK_NONEMPTY: u32 = 1 << 2;
/// The notification that a zero-copy send does not need its buffer any more.
const F_NOTIF: u32 = 1 << 3;
/// The provided buffer has room left, and the kernel keeps it.
const F_BUF_MORE: u32 = 1 << 4;

/// The kernel's inner "start this call again" codes, which a worker can let through when it is
/// cancelled. They have no name in user space.
const RESTART_CODES: std::ops::RangeInclusive<i32> = 512..=516;

impl Cqe {
    /// Returns whether this is the last completion of its request.
    #[must_use]
    #[inline]
    pub fn is_last(&self) -> bool {
        self.flags & F_MORE == 0
    }

    /// Returns the id of the provided buffer that holds the data, if one was picked.
    #[must_use]
    #[inline]
    pub fn buffer_id(&self) -> Option<u16> {
        (self.flags & F_BUFFER != 0).then_some((self.flags >> 16) as u16)
    }

    /// Returns whether this says that a zero-copy send does not need its buffer any more.
    #[must_use]
    #[inline]
    pub fn is_notification(&self) -> bool {
        self.flags & F_NOTIF != 0
    }

    /// Whether it says more than a number: it brings a provided buffer, or it is the result of which
    /// a notification follows, or that notification.
    #[inline]
    pub(crate) fn says_more(&self) -> bool {
        self.flags & (F_BUFFER | F_MORE | F_NOTIF) != 0
    }

    /// Returns whether the provided buffer has room left, and the kernel goes on filling it.
    #[must_use]
    #[inline]
    pub fn keeps_buffer(&self) -> bool {
        self.flags & F_BUF_MORE != 0
    }

    /// Returns whether the socket held more than was received.
    #[must_use]
    #[inline]
    pub fn has_more_data(&self) -> bool {
        self.flags & F_SOCK_NONEMPTY != 0
    }

    /// Returns the errno, zero on success. A cancelled worker's private codes become `ECANCELED`.
    #[must_use]
    #[inline]
    pub fn errno(&self) -> i32 {
        let errno = if self.res < 0 {
            self.res.wrapping_neg()
        } else {
            0
        };
        if RESTART_CODES.contains(&errno) {
            libc::ECANCELED
        } else {
            errno
        }
    }

    /// Returns the result: a count, a descriptor, an event mask.
    ///
    /// # Errors
    ///
    /// The errno of the request, kept as it is.
    #[inline]
    pub fn result(&self) -> io::Result<u32> {
        u32::try_from(self.res).map_err(|_| io::Error::from_raw_os_error(self.errno()))
    }

    /// Returns an answer that the kernel never gave: the request ended with `errno`.
    #[must_use]
    pub fn failed(errno: i32) -> Self {
        Self {
            user_data: 0,
            res: -errno,
            flags: 0,
        }
    }
}

#[cfg(test)]
mod tests;

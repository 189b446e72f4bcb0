//! A kernel that is short of something: which errors of `enter` pass, and how long they may last.

use std::io;
use std::time::Duration;

use super::pause::pause;

/// How often in a row the kernel said that it had no memory, or no room, for the moment.
#[derive(Debug, Default)]
pub(super) struct Shortage {
    stalls: u32,
}

impl Shortage {
    /// The kernel has taken a call.
    #[inline]
    pub(super) fn end(&mut self) {
        self.stalls = 0;
    }

    /// Tells the errors that pass from those that do not. Gives the kernel time if that is what it
    /// needs.
    #[cold]
    pub(super) fn judge(&mut self, errno: i64) -> io::Result<()> {
        let errno = i32::try_from(errno).unwrap_or(libc::EINVAL);
        match errno {
            // A signal came, or the time has passed: the caller looks at the queue and its clock.
            libc::EINTR | libc::ETIME => Ok(()),
            // Short of memory, or completions have to be reaped first: the queue is as it was.
            libc::EAGAIN | libc::EBUSY | libc::ENOMEM if self.stalls < STALLS_MAX => {
                self.stalls += 1;
                if self.stalls < STALLS_QUICK {
                    std::thread::yield_now();
                } else {
                    pause(STALL_PAUSE);
                }
                Ok(())
            }
            _ => Err(io::Error::from_raw_os_error(errno)),
        }
    }
}

/// A shortage is waited out at first by yielding, then by pausing: ten seconds in all.
const STALLS_QUICK: u32 = 100;
const STALLS_MAX: u32 = STALLS_QUICK + 10_000;
const STALL_PAUSE: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::{STALLS_QUICK, Shortage};

    #[test]
    fn what_passes_is_no_error() {
        let mut shortage = Shortage::default();
        for errno in [libc::EINTR, libc::ETIME] {
            shortage.judge(errno.into()).unwrap();
        }
        assert_eq!(shortage.stalls, 0);
        let error = shortage.judge(libc::EBADF.into()).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EBADF));
    }

    #[test]
    fn a_shortage_has_a_bound_that_starts_anew_after_each_success() {
        let mut shortage = Shortage {
            stalls: super::STALLS_MAX - 1,
        };
        shortage.judge(libc::ENOMEM.into()).unwrap();
        let error = shortage.judge(libc::ENOMEM.into()).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOMEM));
        shortage.end();
        for _ in 1..STALLS_QUICK {
            shortage.judge(libc::EBUSY.into()).unwrap();
        }
    }
}

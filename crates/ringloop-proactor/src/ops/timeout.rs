//! Timeouts that the kernel keeps.

use std::io;
use std::time::Duration;

use crate::buf::Chunk;
use crate::handle::Handle;
use crate::op::{Answer, Multishot, Op, OpStream, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Lets a time pass, never less. It begins when the entry is submitted, with the next park.
    /// Counterpart: `io_uring_prep_timeout(3)`.
    ///
    /// The kernel keeps these in a list: a thousand of them at a time are slow. An executor has timers
    /// of its own, and passes the next deadline to [`park`](ringloop_core::Driver::park).
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    /// use std::time::Duration;
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// proactor.block_on(proactor.handle().timeout(Duration::from_millis(1)))??;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn timeout(&self, duration: Duration) -> Op<Timeout> {
        self.submit(Timeout {
            timespec: Timespec::new(duration),
        })
    }

    /// Tells again and again that a time has passed. Counterpart: `io_uring_prep_timeout(3)` with
    /// `IORING_TIMEOUT_MULTISHOT`.
    ///
    /// The next interval begins when the kernel tells of the one before, so they add up to more than
    /// their sum. Those that nobody takes wait, up to the [limit](OpStream::limit) of the stream.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for no time at all. The first item is `Unsupported` before Linux 6.4.
    pub fn timeout_multishot(&self, interval: Duration) -> io::Result<OpStream<TimeoutMultishot>> {
        if interval.is_zero() {
            let text = "a timeout of no time would tell without end";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let timespec = Timespec::new(interval);
        Ok(OpStream::new(self.clone(), TimeoutMultishot { timespec }))
    }
}

/// Lets a time pass. Linux 5.4. Counterpart: `io_uring_prep_timeout(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_timeout")]
pub struct Timeout {
    timespec: Timespec,
}

// SAFETY: as the module says; the time is inside the operation, which does not move.
unsafe impl Operation for Timeout {
    type Output = io::Result<()>;
    type Leftover = ();
    const NAME: &'static str = "timeout";

    fn prepare(&mut self) -> Sqe {
        Sqe {
            // In a chain, what follows begins when the time has passed.
            op_flags: TIMEOUT_ETIME_SUCCESS,
            ..Sqe::new(io_uring::opcode::Timeout::CODE, -1).timespec(&self.timespec)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        passed(cqe)
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// Tells again and again that a time has passed. Linux 6.4. Counterpart:
/// `io_uring_prep_timeout(3)`.
#[derive(Debug)]
pub struct TimeoutMultishot {
    timespec: Timespec,
}

// SAFETY: as the module says; the time is where the service is, which does not move.
unsafe impl Multishot for TimeoutMultishot {
    type Item = ();
    const NAME: &'static str = "timeout multishot";

    fn prepare(&mut self, sqe: &mut Sqe) {
        *sqe = Sqe {
            op_flags: TIMEOUT_MULTISHOT,
            ..Sqe::new(io_uring::opcode::Timeout::CODE, -1).timespec(&self.timespec)
        };
    }

    fn judge(&self, cqe: &Cqe) -> Answer {
        match cqe.errno() {
            libc::ECANCELED | libc::EINTR => Answer::Nothing,
            libc::EINVAL => Answer::Last,
            _ => Answer::Item,
        }
    }

    fn item(&mut self, cqe: Cqe, _lent: Option<Chunk>) -> io::Result<Self::Item> {
        // The time is a valid one, so it is the flag that the kernel does not know.
        if cqe.errno() == libc::EINVAL {
            let text = "this kernel has no io_uring timeout multishot: it needs Linux 6.4";
            return Err(io::Error::new(io::ErrorKind::Unsupported, text));
        }
        passed(cqe)
    }
}

/// That the time has passed is what was asked for.
fn passed(cqe: Cqe) -> io::Result<()> {
    match cqe.errno() {
        libc::ETIME => Ok(()),
        _ => cqe.result().map(drop),
    }
}

/// Ends the operation before it in a chain when it takes too long. Linux 5.5. Counterpart:
/// `io_uring_prep_link_timeout(3)`. Made by [`Op::with_timeout`].
#[derive(Debug)]
#[doc(alias = "io_uring_prep_link_timeout")]
pub struct LinkTimeout {
    timespec: Timespec,
}

/// Whether a timeout came before what it guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "either the operation or the clock is first"
)]
pub enum Expiry {
    /// The operation was first.
    InTime,
    /// The time was up, and the operation was asked to end.
    Expired,
}

impl LinkTimeout {
    pub(crate) fn new(duration: Duration) -> Self {
        Self {
            timespec: Timespec::new(duration),
        }
    }
}

// SAFETY: as the module says; the time is inside the operation, which does not move.
unsafe impl Operation for LinkTimeout {
    type Output = Expiry;
    type Leftover = ();
    const NAME: &'static str = "link timeout";

    fn prepare(&mut self) -> Sqe {
        Sqe::new(io_uring::opcode::LinkTimeout::CODE, -1).timespec(&self.timespec)
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        // The operation that ends takes its timeout along. A timeout that comes first tells what came
        // of the request: `ETIME` mostly, a count for a `waitid` or a futex, `EALREADY` or `ENOENT` for
        // an operation that cannot be ended now.
        if cqe.errno() == libc::ECANCELED {
            Expiry::InTime
        } else {
            Expiry::Expired
        }
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// `struct __kernel_timespec`.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

impl Timespec {
    /// What is too long for the kernel's type is as good as for ever.
    pub(super) fn new(duration: Duration) -> Self {
        Self {
            seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: duration.subsec_nanos().into(),
        }
    }
}

impl Sqe {
    /// The entry with one time as its memory.
    pub(super) fn timespec(self, time: &Timespec) -> Self {
        Self {
            address: std::ptr::from_ref(time).expose_provenance() as u64,
            len: 1,
            ..self
        }
    }
}

/// `IORING_TIMEOUT_ETIME_SUCCESS`.
const TIMEOUT_ETIME_SUCCESS: u32 = 1 << 5;
/// `IORING_TIMEOUT_MULTISHOT`.
const TIMEOUT_MULTISHOT: u32 = 1 << 6;

//! The error of a job that stops because it was asked to.

use std::error::Error;
use std::fmt;
use std::io;

use crate::job::Reason;

/// The job was asked to stop.
///
/// Made by [`Interrupt::check`](crate::Interrupt::check). The [source](Error::source) is the reason
/// that was given to [`Offload::cancel_with`](crate::Offload::cancel_with), if there was one.
///
/// # Examples
///
/// ```
/// use ringloop_offload::{Interrupt, Interrupted};
///
/// fn sum(numbers: &[u64]) -> Result<u64, Interrupted> {
///     let mut sum = 0;
///     for chunk in numbers.chunks(4096) {
///         Interrupt::check()?;
///         sum += chunk.iter().sum::<u64>();
///     }
///     Ok(sum)
/// }
///
/// // Outside a job nobody can ask it to stop.
/// assert_eq!(sum(&[3, 4]).unwrap(), 7);
/// ```
#[derive(Clone)]
pub struct Interrupted {
    reason: Option<Reason>,
}

impl Interrupted {
    pub(crate) fn new(reason: Option<Reason>) -> Self {
        Self { reason }
    }
}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            None => f.write_str("the job was asked to stop"),
            Some(reason) => write!(f, "the job was asked to stop: {reason}"),
        }
    }
}

impl fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupted")
            .field("reason", &self.reason)
            .finish()
    }
}

impl Error for Interrupted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.reason {
            None => None,
            Some(reason) => Some(&**reason),
        }
    }
}

/// The kind is `Other` and not `Interrupted`: std takes the latter for `EINTR` and tries again.
impl From<Interrupted> for io::Error {
    fn from(interrupted: Interrupted) -> Self {
        Self::other(interrupted)
    }
}

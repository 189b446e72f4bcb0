//! How far a read or a write came that did not finish.

use std::error::Error;
use std::fmt;
use std::io;

/// What is inside the error of a read or a write of many bytes that stopped in the middle.
///
/// [`read_exact`](super::AsyncRead::read_exact), [`write_all`](super::AsyncWrite::write_all),
/// [`copy`](super::copy()) and their like put it into their [`io::Error`], which has the kind of the
/// [`cause`](Self::cause), if they fail or are cancelled when they have done something; and
/// `read_exact` also if the end comes at once. An error without it says that nothing was done.
/// [`is_cancelled`](crate::cancel::is_cancelled) sees through it.
///
/// # Examples
///
/// ```
/// use ringloop::io::{AsyncRead, Partial};
/// use std::io::ErrorKind;
///
/// ringloop::run(async {
///     let mut source: &[u8] = b"abc";
///     let error = source.read_exact(&mut [0; 8]).await.unwrap_err();
///     assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
///     let partial = Partial::of(&error).unwrap();
///     assert_eq!((partial.done(), partial.expected()), (3, Some(8)));
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[doc(alias = "IncompleteReadError")]
pub struct Partial {
    done: u64,
    expected: Option<u64>,
    cause: io::Error,
}

impl Partial {
    /// What `cause` becomes after `done` bytes of `expected`: itself if nothing was done.
    #[cold]
    pub(super) fn error(done: usize, expected: usize, cause: io::Error) -> io::Error {
        if done == 0 {
            return cause;
        }
        Self::new(done as u64, Some(expected as u64), cause).into()
    }

    /// The end of the source, too early.
    #[cold]
    pub(super) fn eof(done: usize, expected: usize) -> io::Error {
        let cause = io::ErrorKind::UnexpectedEof.into();
        Self::new(done as u64, Some(expected as u64), cause).into()
    }

    pub(crate) fn new(done: u64, expected: Option<u64>, cause: io::Error) -> Self {
        Self {
            done,
            expected,
            cause,
        }
    }

    /// Returns what is inside `error`, if it is this.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// Returns how many bytes were read into the buffer, or accepted by the sink.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Returns how many bytes it should have been, if that was said.
    #[must_use]
    pub fn expected(&self) -> Option<u64> {
        self.expected
    }

    /// Returns why it stopped.
    #[must_use]
    pub fn cause(&self) -> &io::Error {
        &self.cause
    }

    /// Returns why it stopped, with what else that error has, as its number.
    #[must_use]
    pub fn into_cause(self) -> io::Error {
        self.cause
    }
}

impl fmt::Display for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, after {} ", self.cause, self.done)?;
        match self.expected {
            Some(expected) => write!(f, "of {expected} bytes"),
            None => f.write_str("bytes"),
        }
    }
}

impl Error for Partial {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

impl From<Partial> for io::Error {
    fn from(partial: Partial) -> Self {
        Self::new(partial.cause.kind(), partial)
    }
}

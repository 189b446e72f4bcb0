//! The error in a result, and which errors there may be.

use std::io;

use ringloop_proactor::OpError;
use ringloop_proactor::ops::Expiry;

/// A result that may be an error.
pub(super) trait Told {
    fn error(&self) -> Option<&io::Error>;
}

/// An error, with or without a buffer.
pub(super) trait AsError {
    fn as_error(&self) -> &io::Error;
}

impl AsError for io::Error {
    fn as_error(&self) -> &io::Error {
        self
    }
}

impl<B> AsError for OpError<B> {
    fn as_error(&self) -> &io::Error {
        &self.error
    }
}

impl<T, E: AsError> Told for Result<T, E> {
    fn error(&self) -> Option<&io::Error> {
        self.as_ref().err().map(E::as_error)
    }
}

impl Told for Expiry {
    fn error(&self) -> Option<&io::Error> {
        None
    }
}

/// An operation may be interrupted only if somebody wanted it to end.
pub(super) fn check(error: &io::Error, may_end: bool) {
    let Some(errno) = error.raw_os_error() else {
        return;
    };
    assert!((1..512).contains(&errno), "no errno is {errno}");
    assert_ne!(
        errno,
        libc::EBADF,
        "a descriptor was closed under an operation"
    );
    assert_ne!(errno, libc::EFAULT, "a buffer was not registered");
    if [libc::ECANCELED, libc::EINTR].contains(&errno) {
        assert!(may_end, "{error}, and nobody has asked for it");
    }
}

//! Offsets in files: which there are, and what becomes of an operation at another one.

use std::io;

use crate::buf::OpError;
use crate::handle::Handle;
use crate::op::{Op, Operation};

impl Handle {
    /// Makes a future of an operation at `offset`. At one that no file has, it is not submitted;
    /// its `complete` calls [`explain`].
    #[inline]
    pub(super) fn submit_at<O: Operation>(&self, offset: u64, op: O) -> Op<O> {
        if is_offset(offset) {
            self.submit(op)
        } else {
            Op::refused(self.clone(), op)
        }
    }
}

/// Whether `offset` is one that a file can have, or stands for the file's position.
pub(super) fn is_offset(offset: u64) -> bool {
    offset <= i64::MAX.unsigned_abs() || offset == u64::MAX
}

/// What is wrong with an offset that no file has.
pub(super) fn offset_error() -> io::Error {
    let text = "the offset is beyond what files have, i64::MAX; u64::MAX is the file's position";
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

/// The error of an operation at `offset`, which may have been refused for it.
#[cold]
pub(super) fn explain<B>(error: OpError<B>, offset: u64) -> OpError<B> {
    if is_offset(offset) {
        error
    } else {
        OpError::new(offset_error(), error.buffer)
    }
}

//! Reading and writing with borrowed slices. Counterpart: `std::io`.

mod read;
mod write;

pub(crate) use read::Wait;
pub use read::{AsyncRead, Read, ReadExact, ReadToEnd};
pub use write::{AsyncWrite, Flush, Shutdown, Write, WriteAll};

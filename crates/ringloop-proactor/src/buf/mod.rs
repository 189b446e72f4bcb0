//! Memory that the kernel may hold: owned buffers, and buffers provided to the kernel.

mod owned;
mod room;
mod slice;

#[cfg(feature = "bytes")]
mod bytes;
mod named;
mod pool;
mod vectored;

pub(crate) use named::Named;
pub use owned::{IoBuf, IoBufMut, OpError};
pub use pool::Chunk;
pub(crate) use pool::{BufPool, GROUP, Lent};
pub use room::Room;
pub use slice::Slice;
pub(crate) use vectored::IoVecs;
pub use vectored::{IO_BUFS_MAX, IoBufs, IoBufsMut};

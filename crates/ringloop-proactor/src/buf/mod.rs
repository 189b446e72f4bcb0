//! Memory that the kernel may hold: owned buffers, and buffers provided to the kernel.

mod owned;
mod pool;

pub use owned::{IoBuf, IoBufMut, OpError};
pub use pool::Chunk;
pub(crate) use pool::{BufPool, GROUP, Lent};

//! Memory that the kernel may hold: owned buffers, and buffers provided to the kernel.

mod owned;
mod room;
mod slice;

#[cfg(feature = "bytes")]
mod bytes;
mod named;
mod vectored;

mod fixed;

mod chunk;
mod group;
mod group_config;
mod pages;
mod pool;
mod ring;

pub use chunk::Chunk;
pub use fixed::{FixedBuf, FixedPool, RegisteredBuf};
pub(crate) use fixed::{FixedMemory, FixedTable};
pub(crate) use group::Groups;
pub use group::{BufGroup, BufGroupStats, WaitProvided};
pub use group_config::BufGroupConfig;
pub(crate) use named::Named;
pub use owned::{IoBuf, IoBufMut, OpError};
pub(crate) use pool::{BufPool, Lent, PoolSpec};
pub use room::Room;
pub use slice::Slice;
pub(crate) use vectored::IoVecs;
pub use vectored::{IO_BUFS_MAX, IoBufs, IoBufsMut};

//! Groups: tasks that end before the code around them goes on.
//!
//! [`group()`] runs a body that spawns children through a [`TaskGroup`], and is done when all of
//! them are. Whatever happens, no child outlives it:
//!
//! * The first failure cancels the others and the body, and all errors come out as one
//!   [`GroupError`].
//! * A panic does the same, and then goes on where the group is awaited.
//! * A cancellation around the group reaches all children. It comes out in the error, where the
//!   scope around finds it.
//! * The drop of the group's future aborts the children.
//!
//! [`TaskGroup::start`] waits until a child says that it is [`Ready`]. A [`Pool`] is a part of a
//! group that runs so many children at a time, and [maps](Pool::map) a function over items.
//!
//! Children are tasks: what they capture is `'static`.

mod caught;
mod child;
mod desk;
mod error;
mod flatten;
mod handle;
mod isolated;
mod map;
mod pool;
mod rejected;
mod roster;
mod run;
mod shared;
mod slots;
mod start;
mod tree;

pub use desk::Ready;
pub use error::GroupError;
pub use handle::TaskGroup;
pub use map::{Map, Next};
pub use pool::Pool;
pub use rejected::Rejected;
pub use run::group;
pub use shared::Failure;
pub use slots::JoinPool;
pub use start::StartError;

//! Futures that need no runtime: one-shot values and combinators.

pub use ringloop_core::future::{Either, Join, Race, join, race};
pub use ringloop_core::{
    Abandoned, Postbox, RemotePostbox, RemoteSetter, Setter, postbox, remote_postbox,
};

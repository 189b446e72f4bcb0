//! Futures that need no runtime: one-shot values and combinators.

pub use ringloop_core::future::{Either, Join, Race, join, race};
pub use ringloop_core::{
    Abandoned, CallbackKey, Postbox, RemotePostbox, RemoteSetter, Setter, SharedPostbox,
    SharedRemotePostbox, postbox, remote_postbox,
};

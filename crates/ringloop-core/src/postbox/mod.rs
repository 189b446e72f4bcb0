//! One value from a setter to whoever waits for it.
//!
//! A postbox is the two ends of one hand-over: a setter, which puts the value in, and the postbox,
//! which is a future of it. There are two kinds, one whose ends are on one thread and one whose
//! ends may be anywhere, with the same methods.
//!
//! | file | what it has |
//! |---|---|
//! | `local` | the ends on one thread, on top of `delivery`, the states and the cells |
//! | `remote` | the ends on any threads, on top of `remote::state`, the word that orders them |
//! | `callbacks` | what is called with the value before the postbox has it |
//! | `shared` | many readers of one postbox of either kind |
//!
//! Callbacks, wakers and values are foreign code: they are called, woken, cloned and dropped while
//! no lock is held and no borrow is alive, and when one of them panics, the others still run.

mod abandoned;
mod callbacks;
mod delivery;
mod local;
mod readers;
mod remote;
mod shared;

pub use abandoned::Abandoned;
pub use callbacks::CallbackKey;
pub use local::{Postbox, Setter, postbox};
pub use remote::{RemotePostbox, RemoteSetter, SharedRemotePostbox, remote_postbox};
pub use shared::SharedPostbox;

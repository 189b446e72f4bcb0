//! Servers: one task per connection.
//!
//! [`serve`] accepts the connections of a listener and runs a handler on each, in a task of its own.
//! It is structured: when it is over, so are all its handlers.

mod accepting;
mod backoff;
mod builder;
mod connection;
mod listener;
mod outcome;
mod report;
mod server;
mod shared;

pub use builder::{Serve, serve};
pub use listener::Listener;
pub use outcome::Outcome;
pub use report::ServeReport;
pub use server::{Server, ServerStats};

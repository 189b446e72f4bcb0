//! Servers: one task per connection.
//!
//! [`serve`] accepts the connections of a listener and runs a handler on each, in a task of its own.
//! It is structured: when it is over, so are all its handlers.
//!
//! | what happens | what becomes of the connection | what becomes of the server |
//! |---|---|---|
//! | the handler returns | it is the handler's; what it has not closed is dropped | serves on |
//! | the handler returns an error, or panics | dropped | [reports](Serve::on_error) it once, and serves on |
//! | [`close_clients`](Server::close_clients) | the waits of the handler say `Cancelled`; its cleanup may wait | serves on |
//! | [`abort_clients`](Server::abort_clients) | the handler is dropped where it is, and with it the connection | serves on |
//! | the [limit](Serve::limit) is reached | new ones wait in the kernel's backlog | serves on when one has ended |
//! | descriptors or memory run out | new ones wait in the kernel's backlog | reports it once, waits for a while or until a connection ends, and reports once when it is over |
//! | a connection fails before it is accepted | gone | accepts the next one |
//! | [`stop_accepting`](Server::stop_accepting) | live ones go on; those that nobody has taken are closed with the listener | over when the last one has ended |
//! | `serve` is cancelled | as with `stop_accepting` and `close_clients` | over when the last one has ended |
//! | `serve` is dropped | as with `stop_accepting` and `abort_clients` | over |
//! | any other error of `accept` | as with `stop_accepting` and `close_clients` | over when the last one has ended, with that error |

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

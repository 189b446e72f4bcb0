//! Tasks that wait for each other's locks, found in debug mode.
//!
//! | file | what it has |
//! |---|---|
//! | `report` | what is found, as plain data |
//! | `graph` | who has which lock and who waits for which, on this thread |
//! | `track` | what a guard and a wait remember of their entries in the graph |
//!
//! A [`Host`](crate::Host) that names its tasks ([`Host::task`](crate::Host::task)) has the locks of
//! its thread tracked: each guard of a [`Mutex`](crate::Mutex) or [`RwLock`](crate::RwLock) says
//! which task took it and where, and each wait for one, which task waits and where. When a wait
//! begins that closes a circle, the host is told ([`Host::report`](crate::Host::report)), once. The
//! wait goes on: it may be cancelled, as any other.
//!
//! What is not seen: waits for anything but these locks, and what is done outside of the tasks that
//! the host names. A lock counts as that of the task that took it, even if its guard is handed to
//! another task. And a wait that a timeout would end, or another branch of the same task, counts as
//! one that does not end.
//!
//! Without such a host nothing of this costs anything but a word in a guard.

mod graph;
mod report;
mod track;

pub use report::{Blocked, Deadlock, TaskLabel};

pub(crate) use track::{Edge, Hold, LockSite};

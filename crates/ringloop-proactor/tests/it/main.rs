//! What the proactor promises, on the kernel's ring.

#![expect(clippy::unwrap_used, reason = "a test says where it failed")]

mod accept;
mod bounds;
mod buffers;
#[cfg(feature = "bytes")]
mod bytes;
mod cancel;
mod cancel_many;
mod chain;
mod closed;
mod config;
mod datagram_queues;
mod datagrams;
mod direct;
mod direct_files;
mod enters;
mod epoll;
mod faults;
mod files;
mod fixed;
mod flow;
mod foreign;
mod fork;
mod forms;
mod futex;
mod groups;
mod lent_wakers;
mod mail;
mod multishot;
mod multishot_end;
mod nop;
mod observer;
mod opening;
mod options;
mod paths;
mod pipes;
mod poll_update;
mod process;
mod receive;
mod reentry;
mod restricted;
mod reuse;
mod rig;
mod ring;
mod send;
mod sender_end;
mod sender_owned;
mod sender_pipe;
mod shutdown;
mod sigpipe;
#[cfg(feature = "sim")]
mod sim;
mod sockets;
mod space;
mod stat;
mod stats;
mod timeout;
mod turns;
mod vectored;
mod waiters;
mod wake;
mod wakers;
mod xattr;
mod zero_copy;

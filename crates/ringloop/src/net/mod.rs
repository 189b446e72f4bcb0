//! TCP. Counterpart: `std::net`.

mod addr;
mod listener;
mod serve;
mod stream;

use std::os::fd::BorrowedFd;

use ringloop_proactor::Fd;

pub use addr::ToSocketAddrs;
pub use listener::{Accept, TcpListener};
pub use serve::{Listener, Outcome, Serve, ServeReport, Server, ServerStats, serve};
pub use stream::{ReadHalf, TcpStream, WriteHalf};

/// The descriptor for system calls.
fn plain(fd: &Fd) -> BorrowedFd<'_> {
    fd.plain()
        .expect("sockets of this module are never direct descriptors")
}

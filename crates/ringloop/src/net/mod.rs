//! TCP. Counterpart: `std::net`.

mod addr;
mod listener;
mod stream;

use std::os::fd::BorrowedFd;

use ringloop_proactor::Fd;

pub use addr::ToSocketAddrs;
pub use listener::{Accept, TcpListener};
pub use stream::{ReadHalf, TcpStream, WriteHalf};

/// The descriptor for system calls.
fn plain(fd: &Fd) -> BorrowedFd<'_> {
    fd.plain()
        .expect("sockets of this module are never direct descriptors")
}

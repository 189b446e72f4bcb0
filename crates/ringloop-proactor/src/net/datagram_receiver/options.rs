//! Options of datagram sockets that have values of their own.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// How many datagrams the kernel has dropped at this socket; zero if it does not say.
pub(super) fn dropped_by_kernel(socket: BorrowedFd<'_>) -> u32 {
    let mut counts = [0_u32; MEMORY_COUNTS];
    let mut len = libc::socklen_t::try_from(size_of_val(&counts)).expect("it is short");
    // SAFETY: N3, the kernel writes as many bytes as there are, at most.
    let failed = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            (&raw mut counts).cast(),
            &raw mut len,
        )
    };
    if failed == 0 { counts[DROPS] } else { 0 }
}

/// Lets the kernel put datagrams of one sender together, or not.
pub(super) fn set_gro(socket: BorrowedFd<'_>, coalesces: bool) -> io::Result<()> {
    let value = i32::from(coalesces);
    let len = libc::socklen_t::try_from(size_of_val(&value)).expect("it is short");
    // SAFETY: N3, the kernel reads a number, which is there.
    let failed = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_UDP,
            libc::UDP_GRO,
            (&raw const value).cast(),
            len,
        )
    };
    if failed == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// `SK_MEMINFO_VARS` and `SK_MEMINFO_DROPS` of `linux/sock_diag.h`.
const MEMORY_COUNTS: usize = 9;
const DROPS: usize = 8;

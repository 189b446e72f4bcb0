//! Connecting and accepting on one ring.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use super::{ACCEPT, Bare, CLOSE, LOOPBACK, counted};
use crate::clock;
use crate::ring::{Span, Submissions};

/// Makes `count` connections, `in_flight` at a time.
pub(super) fn run(bare: &Bare, count: u32, in_flight: u32) -> io::Result<Duration> {
    let listener = TcpListener::bind(LOOPBACK)?;
    let mut ring = bare.ring()?;
    let (submissions, mut completions) = ring.split();
    let mut client = Client {
        submissions,
        address: address(listener.local_addr()?),
        space: Span::new(1),
        fds: vec![-1; in_flight as usize],
        left: count,
    };
    let start = clock::now();
    client
        .submissions
        .accept_multi(listener.as_raw_fd(), ACCEPT)?;
    for slot in 0..client.fds.len() {
        client.connect(slot)?;
    }
    let mut open = count;
    while open > 0 {
        client.submissions.enter(1, None)?;
        completions.sync();
        for cqe in completions.by_ref() {
            let result = counted(cqe.result())?;
            if cqe.user_data() == ACCEPT {
                let fd = RawFd::try_from(result).map_err(io::Error::other)?;
                client.submissions.close(fd, CLOSE)?;
                continue;
            }
            let slot = usize::try_from(cqe.user_data()).map_err(io::Error::other)?;
            client.submissions.close(client.fds[slot], CLOSE)?;
            open -= 1;
            client.connect(slot)?;
        }
        // Tells the kernel that they are read: an unread one would end the next wait at once.
        completions.sync();
    }
    client.submissions.enter(0, None)?;
    Ok(clock::now() - start)
}

struct Client<'r> {
    submissions: Submissions<'r>,
    address: Span,
    space: Span,
    fds: Vec<RawFd>,
    left: u32,
}

impl Client<'_> {
    /// Makes the next connection, if there is one left to make.
    fn connect(&mut self, slot: usize) -> io::Result<()> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(());
        };
        self.left = left;
        let fd = Socket::new(Domain::IPV4, Type::STREAM, None)?.into_raw_fd();
        self.fds[slot] = fd;
        let memory = (self.address, self.space);
        self.submissions.connect_then_recv(fd, memory, slot as u64)
    }
}

/// Returns the bytes of a `sockaddr_in`.
fn address(address: SocketAddr) -> Span {
    let sockaddr = socket2::SockAddr::from(address);
    let SocketAddr::V4(address) = address else {
        unreachable!("the loopback address is of the fourth version")
    };
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&sockaddr.family().to_ne_bytes());
    bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
    bytes[4..8].copy_from_slice(&address.ip().octets());
    let span = Span::new(16);
    span.copy_from(&bytes);
    span
}

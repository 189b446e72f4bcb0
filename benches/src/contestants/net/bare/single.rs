//! The echo server with one receive at a time, into the connection's own buffer.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, RawFd};

use super::{ACCEPT, Bare, CLOSE, Receive, counted};
use crate::ring::{Span, Submissions};

/// Echoes on `connections` connections until all of them are closed.
pub(super) fn serve(
    bare: &Bare,
    len: u32,
    listener: &TcpListener,
    connections: u32,
) -> io::Result<()> {
    let mut ring = bare.ring()?;
    let (submissions, mut completions) = ring.split();
    let memory = Span::new(len * connections);
    let mut server = Server {
        submissions,
        fds: Vec::new(),
        memory,
        len,
        is_linked: bare.receive == Receive::Linked,
    };
    server
        .submissions
        .accept_multi(listener.as_raw_fd(), ACCEPT)?;
    let mut open = connections;
    while open > 0 {
        server.submissions.enter(1, None)?;
        completions.sync();
        for cqe in completions.by_ref() {
            let count = counted(cqe.result())?;
            if cqe.user_data() == ACCEPT {
                server.add(count)?;
                continue;
            }
            let index = u32::try_from(cqe.user_data() >> 1).map_err(io::Error::other)?;
            if cqe.user_data() & 1 == SEND {
                server.recv(index)?;
            } else if count > 0 {
                server.send(index, count)?;
            } else {
                open -= 1;
                server
                    .submissions
                    .close(server.fds[index as usize], CLOSE)?;
            }
            bare.submit_early(&mut server.submissions)?;
        }
        // Tells the kernel that they are read: an unread one would end the next wait at once.
        completions.sync();
    }
    Ok(())
}

struct Server<'r> {
    submissions: Submissions<'r>,
    fds: Vec<RawFd>,
    memory: Span,
    len: u32,
    is_linked: bool,
}

impl Server<'_> {
    /// Begins with a connection.
    fn add(&mut self, fd: u32) -> io::Result<()> {
        let index = u32::try_from(self.fds.len()).map_err(io::Error::other)?;
        self.fds
            .push(RawFd::try_from(fd).map_err(io::Error::other)?);
        self.recv(index)
    }

    #[inline]
    fn recv(&mut self, index: u32) -> io::Result<()> {
        let space = self.memory.part(index * self.len, self.len);
        let fd = self.fds[index as usize];
        self.submissions.recv(fd, space, key(index, RECV))
    }

    #[inline]
    fn send(&mut self, index: u32, count: u32) -> io::Result<()> {
        let fd = self.fds[index as usize];
        let space = self.memory.part(index * self.len, self.len);
        let bytes = space.part(0, count);
        if self.is_linked {
            let key = key(index, RECV);
            return self.submissions.send_then_recv(fd, (bytes, space), key);
        }
        self.submissions.send(fd, bytes, key(index, SEND))
    }
}

#[inline]
fn key(index: u32, direction: u64) -> u64 {
    u64::from(index) << 1 | direction
}

const RECV: u64 = 0;
const SEND: u64 = 1;

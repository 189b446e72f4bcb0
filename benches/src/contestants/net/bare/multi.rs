//! The echo server that has the kernel choose buffers.
//!
//! Multishot receives into provided buffers; a send goes out of the buffer that the bytes arrived
//! in, and the buffer goes back when the send completes. One send in flight per connection.

use std::collections::VecDeque;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, RawFd};

use io_uring::cqueue;

use super::{ACCEPT, Bare, CLOSE, counted};
use crate::ring::{Buffers, Submissions};

/// Echoes on `connections` connections until all of them are closed.
pub(super) fn serve(
    bare: &Bare,
    len: u32,
    listener: &TcpListener,
    connections: u32,
) -> io::Result<()> {
    let mut ring = bare.ring()?;
    let (count, len) = if len > BUFFER_LEN { LONG } else { SHORT };
    let buffers = ring.provide_buffers(0, count, len)?;
    let (submissions, mut completions) = ring.split();
    let mut server = Server {
        submissions,
        buffers,
        connections: Vec::new(),
        starved: Vec::new(),
        open: connections,
    };
    server
        .submissions
        .accept_multi(listener.as_raw_fd(), ACCEPT)?;
    while server.open > 0 {
        server.submissions.enter(1, None)?;
        completions.sync();
        for cqe in completions.by_ref() {
            server.handle(&cqe)?;
            bare.submit_early(&mut server.submissions)?;
        }
        // Tells the kernel that they are read: an unread one would end the next wait at once.
        completions.sync();
        server.buffers.publish();
        server.rearm()?;
    }
    Ok(())
}

struct Server<'r> {
    submissions: Submissions<'r>,
    buffers: Buffers,
    connections: Vec<Connection>,
    /// Connections whose receive the kernel ended for want of buffers.
    starved: Vec<usize>,
    open: u32,
}

struct Connection {
    fd: RawFd,
    /// Received and not yet sent; the first is being sent.
    chunks: VecDeque<Chunk>,
    /// Nothing more will arrive.
    ended: bool,
}

#[derive(Clone, Copy)]
struct Chunk {
    buffer: u16,
    len: u32,
}

impl Server<'_> {
    fn add(&mut self, fd: RawFd) -> io::Result<()> {
        let user_data = key(self.connections.len(), RECV);
        self.submissions.recv_multi(fd, &self.buffers, user_data)?;
        self.connections.push(Connection {
            fd,
            chunks: VecDeque::new(),
            ended: false,
        });
        Ok(())
    }

    #[inline]
    fn handle(&mut self, cqe: &cqueue::Entry) -> io::Result<()> {
        if cqe.user_data() >= CLOSE {
            let fd = RawFd::try_from(counted(cqe.result())?);
            return self.add(fd.map_err(io::Error::other)?);
        }
        let index = usize::try_from(cqe.user_data() >> 1).map_err(io::Error::other)?;
        if cqe.user_data() & 1 == RECV {
            self.received(index, cqe)
        } else {
            self.sent(index, cqe.result())
        }
    }

    #[inline]
    fn received(&mut self, index: usize, cqe: &cqueue::Entry) -> io::Result<()> {
        let connection = &mut self.connections[index];
        if let (Ok(len @ 1..), Some(buffer)) = (
            u32::try_from(cqe.result()),
            cqueue::buffer_select(cqe.flags()),
        ) {
            connection.chunks.push_back(Chunk { buffer, len });
            if connection.chunks.len() == 1 {
                self.send(index)?;
            }
        } else if cqe.result() != -libc::ENOBUFS {
            // The end of the stream, or an error that ends it as well.
            connection.ended = true;
            return self.close_if_done(index);
        }
        if !cqueue::more(cqe.flags()) {
            self.starved.push(index);
        }
        Ok(())
    }

    #[inline]
    fn sent(&mut self, index: usize, result: i32) -> io::Result<()> {
        let connection = &mut self.connections[index];
        if let Some(chunk) = connection.chunks.pop_front() {
            self.buffers.put(chunk.buffer);
        }
        if result < 0 {
            // The peer is gone: what it does not want goes back, and the receive ends as well.
            for chunk in connection.chunks.drain(..) {
                self.buffers.put(chunk.buffer);
            }
        }
        if connection.chunks.is_empty() {
            self.close_if_done(index)
        } else {
            self.send(index)
        }
    }

    #[inline]
    fn send(&mut self, index: usize) -> io::Result<()> {
        let connection = &self.connections[index];
        let Some(chunk) = connection.chunks.front() else {
            return Ok(());
        };
        let bytes = self.buffers.filled(chunk.buffer, chunk.len);
        self.submissions
            .send(connection.fd, bytes, key(index, SEND))
    }

    #[inline]
    fn close_if_done(&mut self, index: usize) -> io::Result<()> {
        let connection = &self.connections[index];
        if connection.ended && connection.chunks.is_empty() {
            self.open -= 1;
            self.submissions.close(connection.fd, CLOSE)?;
        }
        Ok(())
    }

    /// Starts the receives again that ran out of buffers.
    fn rearm(&mut self) -> io::Result<()> {
        for index in self.starved.drain(..) {
            let fd = self.connections[index].fd;
            self.submissions
                .recv_multi(fd, &self.buffers, key(index, RECV))?;
        }
        Ok(())
    }
}

#[inline]
fn key(index: usize, direction: u64) -> u64 {
    (index as u64) << 1 | direction
}

const RECV: u64 = 0;
const SEND: u64 = 1;
/// How long the buffers of a contestant may be for messages that are short.
const BUFFER_LEN: u32 = 4096;
/// How many provided buffers there are for short messages, and how long they are.
const SHORT: (u16, u32) = (256, 2048);
/// The same for long messages.
const LONG: (u16, u32) = (128, 16 * 1024);

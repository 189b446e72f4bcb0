//! The load: a closed loop of small messages, the same for every server.
//!
//! Each connection has one message in flight: send, wait for the echo, compare, send the next. The
//! client runs on a bare ring with one receive at a time, so that no contestant meets a client of
//! its own kind. The clock is read twice per turn of the loop, before the sends enter the kernel
//! and after the kernel returned, not once per message: reading it costs as much as a small
//! syscall's tenth, and all messages of a turn share both moments anyway.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use crate::clock;
use crate::ring::{Completions, Ring, Span, Submissions};
use crate::samples::Samples;

/// How many bytes a message has.
pub const MESSAGE_LEN: u32 = 64;

/// When a run stops sending. It then waits for the echoes that are under way.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Until {
    /// At this moment.
    Moment(Instant),
    /// After this many messages in all.
    Messages(u64),
}

/// What a run did.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Run {
    /// Echoes received and found correct.
    pub messages: u64,
    /// From the first send to the last echo.
    pub elapsed: Duration,
}

/// The client's end of all connections to one server.
#[derive(Debug)]
pub struct Client {
    ring: Ring,
    connections: Vec<Connection>,
}

impl Client {
    /// Connects `count` times to `server`.
    ///
    /// # Errors
    ///
    /// As `connect(2)` and `io_uring_setup(2)`.
    pub fn connect(server: SocketAddr, count: u32) -> io::Result<Self> {
        let ring = Ring::new(RING_ENTRIES, RING_ENTRIES * 4)?;
        let memory = Span::new(count * MESSAGE_LEN * 2);
        let connections: Result<_, _> = (0..count)
            .map(|number| Connection::open(server, number, memory))
            .collect();
        Ok(Self {
            ring,
            connections: connections?,
        })
    }

    /// Exchanges messages on all connections; adds the round trips to `samples`.
    ///
    /// # Errors
    ///
    /// `InvalidData` if an echo differs from its message, `UnexpectedEof` if the server closes a
    /// connection, otherwise as `send(2)` and `recv(2)`.
    pub fn run(&mut self, until: Until, samples: &mut Samples) -> io::Result<Run> {
        let (submissions, completions) = self.ring.split();
        let start = clock::now();
        let mut exchange = Exchange {
            submissions,
            connections: &mut self.connections,
            unsent: Vec::with_capacity(SUBMIT_BATCH),
            until,
            started: 0,
            finished: 0,
            arrival: start,
        };
        exchange.run(completions, samples)?;
        Ok(Run {
            messages: exchange.finished,
            elapsed: exchange.arrival - start,
        })
    }
}

/// The state of one run.
struct Exchange<'c> {
    submissions: Submissions<'c>,
    connections: &'c mut [Connection],
    /// Connections whose message was pushed since the last enter.
    unsent: Vec<usize>,
    until: Until,
    started: u64,
    finished: u64,
    /// When the kernel last returned.
    arrival: Instant,
}

impl Exchange<'_> {
    fn run(&mut self, mut completions: Completions<'_>, samples: &mut Samples) -> io::Result<()> {
        for index in 0..self.connections.len() {
            self.start(index)?;
        }
        while self.finished < self.started {
            self.enter(1)?;
            self.arrival = clock::now();
            completions.sync();
            for cqe in completions.by_ref() {
                let count = u32::try_from(cqe.result())
                    .map_err(|_| io::Error::from_raw_os_error(-cqe.result()))?;
                let index = usize::try_from(cqe.user_data()).map_err(io::Error::other)?;
                if self.connections[index].receive(count, &mut self.submissions)? {
                    self.finished += 1;
                    samples.push(self.arrival - self.connections[index].sent_at);
                    self.start(index)?;
                }
            }
            // Tells the kernel that they are read: an unread one would end the next wait at once.
            completions.sync();
        }
        Ok(())
    }

    /// Sends the next message on a connection, unless the run is to stop.
    fn start(&mut self, index: usize) -> io::Result<()> {
        let stop = match self.until {
            Until::Moment(end) => self.arrival >= end,
            Until::Messages(count) => self.started >= count,
        };
        if stop {
            return Ok(());
        }
        self.connections[index].send(&mut self.submissions)?;
        self.started += 1;
        self.unsent.push(index);
        if self.unsent.len() == SUBMIT_BATCH {
            self.enter(0)
        } else {
            Ok(())
        }
    }

    fn enter(&mut self, want: u32) -> io::Result<()> {
        if !self.unsent.is_empty() {
            let now = clock::now();
            for index in self.unsent.drain(..) {
                self.connections[index].sent_at = now;
            }
        }
        self.submissions.enter(want, None)
    }
}

#[derive(Debug)]
struct Connection {
    socket: TcpStream,
    number: u32,
    sequence: u64,
    message: Span,
    echo: Span,
    received: u32,
    sent_at: Instant,
}

impl Connection {
    fn open(server: SocketAddr, number: u32, memory: Span) -> io::Result<Self> {
        let socket = TcpStream::connect(server)?;
        socket.set_nodelay(true)?;
        let message = memory.part(number * MESSAGE_LEN * 2, MESSAGE_LEN);
        let echo = memory.part(number * MESSAGE_LEN * 2 + MESSAGE_LEN, MESSAGE_LEN);
        let sent_at = clock::now();
        Ok(Self {
            socket,
            number,
            sequence: 0,
            message,
            echo,
            received: 0,
            sent_at,
        })
    }

    fn send(&mut self, submissions: &mut Submissions<'_>) -> io::Result<()> {
        self.sequence += 1;
        self.received = 0;
        self.message.copy_from(&self.contents());
        let fd = self.socket.as_raw_fd();
        submissions.send_silent(fd, self.message, u64::from(self.number))?;
        submissions.recv(fd, self.echo, u64::from(self.number))
    }

    /// Takes `count` received bytes; tells whether they complete the echo.
    fn receive(&mut self, count: u32, submissions: &mut Submissions<'_>) -> io::Result<bool> {
        if count == 0 {
            let message = format!("the server closed connection {}", self.number);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
        }
        self.received += count;
        if self.received < MESSAGE_LEN {
            let rest = self.echo.part(self.received, MESSAGE_LEN - self.received);
            submissions.recv(self.socket.as_raw_fd(), rest, u64::from(self.number))?;
            return Ok(false);
        }
        let mut echo = [0; MESSAGE_LEN as usize];
        self.echo.copy_to(&mut echo);
        if echo != self.contents() {
            let message = format!("connection {}: the echo differs", self.number);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(true)
    }

    /// Returns a message that no other connection and no other turn sends.
    fn contents(&self) -> [u8; MESSAGE_LEN as usize] {
        let mut bytes = [0; MESSAGE_LEN as usize];
        let seed = self.sequence << 20 | u64::from(self.number);
        for (position, word) in (0_u64..).zip(bytes.chunks_exact_mut(8)) {
            word.copy_from_slice(&(seed + (position << 60)).wrapping_mul(ODD).to_le_bytes());
        }
        bytes
    }
}

/// Messages per enter at most: the server can begin with the first while the rest is pushed.
const SUBMIT_BATCH: usize = 16;
const RING_ENTRIES: u32 = 256;
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests;

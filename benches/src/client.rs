//! The load: a closed loop of small messages, the same for every server.
//!
//! Each connection has one message in flight: send, wait for the echo, compare, send the next. The
//! client runs on a bare ring with one receive at a time, so that no contestant meets a client of
//! its own kind. The clock is read twice per turn of the loop, before the sends enter the kernel
//! and after the kernel returned, not once per message: reading it costs as much as a small
//! syscall's tenth, and all messages of a turn share both moments anyway.

use std::io::{self, Read, Write};
use std::iter;
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use crate::clock;
use crate::ring::{Completions, Ring, Span, Submissions};
use crate::samples::Samples;

/// How many bytes a message has, unless something else is said.
pub const MESSAGE_LEN: u32 = 64;

/// What goes to a server, and how.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Load {
    /// How many connections there are, each with one message under way.
    pub connections: u32,
    /// How many bytes a message has.
    pub message_len: u32,
    /// What carries it.
    pub transport: Transport,
}

impl Load {
    /// Messages of 64 bytes over TCP, on so many connections.
    pub fn small(connections: u32) -> Self {
        Self {
            connections,
            message_len: MESSAGE_LEN,
            transport: Transport::Tcp,
        }
    }
}

/// What carries messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP, a socket for each message under way.
    Udp,
}

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
    patience: Option<Duration>,
}

impl Client {
    /// Connects `count` times to `server`, for messages of 64 bytes.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn connect(server: SocketAddr, count: u32) -> io::Result<Self> {
        Self::open(server, Load::small(count))
    }

    /// Makes the connections of a `load`.
    ///
    /// # Errors
    ///
    /// As `connect(2)` and `io_uring_setup(2)`.
    pub fn open(server: SocketAddr, load: Load) -> io::Result<Self> {
        let ring = Ring::new(RING_ENTRIES, RING_ENTRIES * 4)?;
        let memory = Span::new(load.connections * load.message_len * 2);
        let connections: Result<_, _> = (0..load.connections)
            .map(|number| Connection::open(server, load, number, memory))
            .collect();
        Ok(Self {
            ring,
            connections: connections?,
            patience: (load.transport == Transport::Udp).then_some(PATIENCE),
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
            patience: self.patience,
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
    /// How long an echo may take, where it may be lost.
    patience: Option<Duration>,
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
            if completions.is_empty() && self.patience.is_some() {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "a datagram is lost",
                ));
            }
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
        self.submissions
            .enter(want, self.patience.filter(|_| want > 0))
    }
}

#[derive(Debug)]
enum Socket {
    Stream(TcpStream),
    Datagrams(UdpSocket),
}

impl Socket {
    fn connect(server: SocketAddr, transport: Transport) -> io::Result<Self> {
        match transport {
            Transport::Tcp => {
                let stream = TcpStream::connect(server)?;
                stream.set_nodelay(true)?;
                Ok(Self::Stream(stream))
            }
            Transport::Udp => {
                let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
                socket.connect(server)?;
                Ok(Self::Datagrams(socket))
            }
        }
    }

    /// Has a message echoed: then the server has accepted all connections up to this one.
    fn ask(&mut self) -> io::Result<()> {
        let mut message = [1; MESSAGE_LEN as usize];
        match self {
            Self::Stream(stream) => {
                stream.write_all(&message)?;
                stream.read_exact(&mut message)
            }
            Self::Datagrams(_) => Ok(()),
        }
    }

    fn fd(&self) -> RawFd {
        match self {
            Self::Stream(stream) => stream.as_raw_fd(),
            Self::Datagrams(socket) => socket.as_raw_fd(),
        }
    }
}

#[derive(Debug)]
struct Connection {
    socket: Socket,
    number: u32,
    sequence: u64,
    message: Span,
    echo: Span,
    received: u32,
    sent_at: Instant,
}

impl Connection {
    fn open(server: SocketAddr, load: Load, number: u32, memory: Span) -> io::Result<Self> {
        let len = load.message_len;
        let message = memory.part(number * len * 2, len);
        let echo = memory.part(number * len * 2 + len, len);
        let mut socket = Socket::connect(server, load.transport)?;
        if number % BACKLOG == BACKLOG - 1 {
            socket.ask()?;
        }
        let body: Vec<u8> = (1..=251).cycle().take(len as usize).collect();
        message.copy_from(&body);
        Ok(Self {
            socket,
            number,
            sequence: 0,
            message,
            echo,
            received: 0,
            sent_at: clock::now(),
        })
    }

    fn send(&mut self, submissions: &mut Submissions<'_>) -> io::Result<()> {
        self.sequence += 1;
        self.received = 0;
        for part in ends(self.message) {
            part.copy_from(&self.contents());
        }
        let fd = self.socket.fd();
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
        let len = self.echo.len();
        if self.received < len {
            let rest = self.echo.part(self.received, len - self.received);
            submissions.recv(self.socket.fd(), rest, u64::from(self.number))?;
            return Ok(false);
        }
        if !self.is_the_same() {
            let message = format!("connection {}: the echo differs", self.number);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(true)
    }

    /// Compares both ends of the echo with what was sent, and all of it from time to time: the
    /// client should not be busier than the server.
    fn is_the_same(&self) -> bool {
        let is_here = |part: Span| {
            let mut bytes = [0; MESSAGE_LEN as usize];
            part.copy_to(&mut bytes);
            bytes == self.contents()
        };
        if !ends(self.echo).all(is_here) {
            return false;
        }
        if self.echo.len() == MESSAGE_LEN || self.sequence % WHOLE != 1 {
            return true;
        }
        let whole = |span: Span| {
            let mut bytes = vec![0; span.len() as usize];
            span.copy_to(&mut bytes);
            bytes
        };
        whole(self.echo) == whole(self.message)
    }

    /// Returns what no other connection and no other turn sends.
    fn contents(&self) -> [u8; MESSAGE_LEN as usize] {
        let mut bytes = [0; MESSAGE_LEN as usize];
        let seed = self.sequence << 20 | u64::from(self.number);
        for (position, word) in (0_u64..).zip(bytes.chunks_exact_mut(8)) {
            word.copy_from_slice(&(seed + (position << 60)).wrapping_mul(ODD).to_le_bytes());
        }
        bytes
    }
}

impl Drop for Client {
    /// Tells a server of datagrams that this is the end.
    fn drop(&mut self) {
        if let Some(Socket::Datagrams(socket)) = self.connections.first().map(|first| &first.socket)
        {
            // Where it cannot be told, the server is gone.
            let _gone = socket.send(&[]);
        }
    }
}

/// Returns the first and the last bytes of a message, which tell it from all others.
#[inline]
fn ends(message: Span) -> impl Iterator<Item = Span> {
    let last = message.len() - MESSAGE_LEN;
    let last = (last > 0).then_some(last);
    let offsets = iter::once(0).chain(last);
    offsets.map(move |offset| message.part(offset, MESSAGE_LEN))
}

/// Every so many messages, a long echo is compared as a whole.
const WHOLE: u64 = 64;
/// Connections that may be on their way at once: a listener that has no room for more of them lets
/// the client try again after a second.
const BACKLOG: u32 = 100;
/// How long a datagram may take, there and back.
const PATIENCE: Duration = Duration::from_secs(2);
/// Messages per enter at most: the server can begin with the first while the rest is pushed.
const SUBMIT_BATCH: usize = 16;
const RING_ENTRIES: u32 = 256;
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests;

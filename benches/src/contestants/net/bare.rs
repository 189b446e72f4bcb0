//! Bare rings: loops that know what each completion means.

mod bulk;
mod connects;
mod datagrams;
mod multi;
mod single;

use std::io;
use std::net::{TcpListener, UdpSocket};
use std::time::Duration;

use socket2::SockRef;

use super::{Announce, Contestant, LOOPBACK, Service};
use crate::ring::{Ring, Submissions};

/// One way to use a ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bare {
    /// Its name.
    pub(super) name: &'static str,
    /// How it receives.
    pub(super) receive: Receive,
    /// After how many entries it submits, though there are completions left to look at.
    pub(super) submit_every: usize,
    /// Whether the ring has the setup flags of ringloop's ring.
    pub(super) has_flags: bool,
}

/// How a ring receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receive {
    /// One receive at a time, which is started when the send has completed.
    Single,
    /// One receive at a time, which is submitted with the send, and linked to it.
    Linked,
    /// Receives that go on, into provided buffers.
    Multi,
}

impl Bare {
    /// One receive at a time, one enter per turn.
    pub(super) const PLAIN_LOOP: Self = Self {
        name: "",
        receive: Receive::Single,
        submit_every: usize::MAX,
        has_flags: true,
    };

    fn ring(&self) -> io::Result<Ring> {
        if self.has_flags {
            Ring::new(RING_ENTRIES, RING_ENTRIES * 4)
        } else {
            Ring::without_flags(RING_ENTRIES, RING_ENTRIES * 4)
        }
    }

    /// Submits what was pushed, if that is enough.
    #[inline]
    fn submit_early(&self, submissions: &mut Submissions<'_>) -> io::Result<()> {
        if submissions.len() >= self.submit_every {
            submissions.enter(0, None)?;
        }
        Ok(())
    }

    /// Tells whether it is the plainest of all, which does what is the same for several.
    fn is_plainest(&self) -> bool {
        let plainest = Self::PLAIN_LOOP;
        self.has_flags
            && self.receive == plainest.receive
            && self.submit_every == plainest.submit_every
    }
}

impl Contestant for Bare {
    fn name(&self) -> &'static str {
        self.name
    }

    fn lacks(&self, _: &str) -> io::Error {
        let message = "does nothing of its own here";
        io::Error::new(io::ErrorKind::Unsupported, message)
    }

    fn can_serve(&self, service: Service, connections: u32) -> bool {
        match service {
            Service::Echo(_) => connections > 1 || self.submit_every == usize::MAX,
            Service::Sink | Service::Source(_) => self.is_plainest(),
            Service::Datagrams => self.receive == Receive::Multi,
        }
    }

    fn serve(&self, service: Service, connections: u32, announce: &Announce<'_>) -> io::Result<()> {
        if service == Service::Datagrams {
            let socket = UdpSocket::bind(LOOPBACK)?;
            announce(socket.local_addr()?)?;
            return datagrams::serve(self, &socket);
        }
        let listener = TcpListener::bind(LOOPBACK)?;
        // What it accepts has this from it.
        SockRef::from(&listener).set_tcp_nodelay(true)?;
        announce(listener.local_addr()?)?;
        match service {
            Service::Echo(len) if self.receive == Receive::Multi => {
                multi::serve(self, len, &listener, connections)
            }
            Service::Echo(len) => single::serve(self, len, &listener, connections),
            Service::Sink => bulk::sink(self, &listener),
            Service::Source(bytes) => bulk::source(self, &listener, bytes),
            Service::Datagrams => Err(self.lacks(service.about())),
        }
    }

    fn connects(&self, count: u32, in_flight: u32) -> io::Result<Duration> {
        if !self.is_plainest() {
            return Err(self.lacks("connect"));
        }
        connects::run(self, count, in_flight)
    }
}

/// The length of a span, which is known to fit.
fn len(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Returns a result that is a count, or the error that it stands for.
#[inline]
fn counted(result: i32) -> io::Result<u32> {
    u32::try_from(result).map_err(|_| io::Error::from_raw_os_error(-result))
}

/// What completes an accept; other numbers stand for connections.
const ACCEPT: u64 = u64::MAX;
/// What completes a close that failed.
const CLOSE: u64 = u64::MAX - 1;
const RING_ENTRIES: u32 = 256;

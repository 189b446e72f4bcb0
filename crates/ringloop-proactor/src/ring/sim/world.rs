//! The simulated kernel: everything there is, and how its time passes.
//!
//! Nothing happens but inside `enter`. Requests that can go on do so, as often as they can; when
//! none can and the caller wants to wait, the clock jumps to the next moment at which something is
//! due. Real time is waited for only if nothing is due and a real descriptor is polled.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::address::Address;
use super::buffers::Groups;
use super::config::SimConfig;
use super::direct::Direct;
use super::faults::Faults;
use super::file::{Descriptors, File};
use super::opcode::{self, Kind};
use super::queues::Queues;
use super::request::Request;
use super::rng::Rng;
use super::socket::{Network, Socket, Stream};
use super::storage::Storage;
use super::trace::Trace;
use super::watch::Watch;
use crate::config::Config;

/// A simulated ring and the world that it acts on.
#[derive(Debug)]
pub(super) struct World {
    pub(super) now: Duration,
    pub(super) epoch: Instant,
    pub(super) rng: Rng,
    pub(super) faults: Faults,
    pub(super) missing: Vec<u8>,
    pub(super) trace: Trace,
    pub(super) queues: Queues,
    pub(super) descriptors: Descriptors,
    pub(super) direct: Direct,
    pub(super) network: Network,
    pub(super) storage: Storage,
    pub(super) groups: Groups,
    pub(super) watch: Watch,
    pub(super) socket_bytes: usize,
    /// What has been started and not ended, by number.
    pub(super) requests: BTreeMap<u64, Request>,
    /// The `user_data` of everything that has been submitted and not ended.
    pub(super) live: BTreeSet<u64>,
    pub(super) submitted: u64,
    pub(super) ended: u64,
    patience: Duration,
}

impl World {
    pub(super) fn new(sizes: &Config, config: &SimConfig) -> io::Result<Self> {
        let completions = config
            .completion_entries
            .unwrap_or_else(|| sizes.completion_count());
        Ok(Self {
            now: Duration::ZERO,
            epoch: config.epoch.unwrap_or_else(crate::proactor::now),
            rng: Rng::new(config.seed),
            faults: config.faults.clone(),
            missing: config.missing.clone(),
            trace: Trace::new(config.is_traced),
            queues: Queues::new(sizes.ring_entries, completions),
            descriptors: Descriptors::default(),
            direct: Direct::default(),
            network: Network::default(),
            storage: Storage::new(),
            groups: Groups::default(),
            watch: Watch::new()?,
            socket_bytes: config.socket_bytes,
            requests: BTreeMap::new(),
            live: BTreeSet::new(),
            submitted: 0,
            ended: 0,
            patience: config.patience,
        })
    }

    /// Counterpart: `io_uring_enter(2)`, as the ring of the kernel hands its outcome on.
    pub(super) fn enter(&mut self, want: u32, timeout: Option<Duration>) -> io::Result<()> {
        if self.rng.chance(self.faults.enter) {
            let errors = [libc::EINTR, libc::EAGAIN, libc::EBUSY, libc::ENOMEM];
            let errno = errors[self.rng.part_of(errors.len()) - 1];
            self.trace
                .line(self.now, format_args!("enter fails: {errno}"));
            return Ok(());
        }
        let queued = self.queues.submission_count();
        if queued > 1 && self.rng.chance(self.faults.partial) {
            let part = self.rng.part_of(queued - 1);
            self.trace
                .line(self.now, format_args!("enter takes {part} of {queued}"));
            self.submit(part);
            self.run();
            return Ok(());
        }
        self.submit(queued);
        self.run();
        if want == 0 {
            self.tick();
            return Ok(());
        }
        self.wait(want as usize, timeout)
    }

    fn wait(&mut self, want: usize, timeout: Option<Duration>) -> io::Result<()> {
        let want = want.min(self.queues.completions_max());
        let deadline = timeout.map(|timeout| self.now.saturating_add(timeout));
        while self.queues.completion_count() < want {
            if self.rng.chance(self.faults.interrupt) {
                self.trace
                    .line(self.now, format_args!("enter is interrupted"));
                return Ok(());
            }
            match (self.next_due(), deadline) {
                (Some(due), None) => self.now = self.now.max(due),
                (Some(due), Some(deadline)) if due <= deadline => self.now = self.now.max(due),
                (_, Some(deadline)) => {
                    self.now = deadline;
                    self.run();
                    return Ok(());
                }
                (None, None) => {
                    if !self.watch.look(self.patience) {
                        return Err(self.stuck());
                    }
                }
            }
            self.run();
        }
        Ok(())
    }

    /// How the operation `code` runs; `None` if the simulation has it not, or not this time.
    pub(super) fn kind(&self, code: u8) -> Option<&'static Kind> {
        opcode::kind(code).filter(|kind| !self.missing.contains(&kind.code))
    }

    /// Lets everything go on until nothing can.
    pub(super) fn run(&mut self) {
        loop {
            self.queues.flush();
            self.reap();
            self.watch.look(Duration::ZERO);
            let mut numbers: Vec<u64> = self.requests.keys().copied().collect();
            if self.rng.chance(self.faults.reorder) {
                self.rng.shuffle(&mut numbers);
            }
            let mut has_moved = false;
            for number in numbers {
                if let Some(request) = self.requests.remove(&number) {
                    has_moved |= self.go(request);
                }
            }
            if !has_moved {
                return;
            }
        }
    }

    /// Lets go of the files whose descriptors user code has closed.
    pub(super) fn reap(&mut self) {
        for number in self.descriptors.reap() {
            self.trace.line(self.now, format_args!("f{number} closed"));
        }
    }

    /// The ring is closed. What is in flight stays so for ever.
    pub(super) fn abandon(&mut self) {
        self.trace.line(
            self.now,
            format_args!("closed with {} in flight", self.submitted - self.ended),
        );
        let left = std::mem::take(&mut self.requests);
        for request in left.into_values() {
            if request.fills() {
                self.scribble(&request);
            }
        }
        self.groups = Groups::default();
        self.direct = Direct::default();
    }

    /// Two descriptors that are connected with each other.
    pub(super) fn socket_pair(&mut self) -> Result<(OwnedFd, OwnedFd), i32> {
        let (near, far) = Stream::pair(self.socket_bytes, true);
        let near = self.adopt(File::connection(libc::AF_INET, near))?;
        let far = self.adopt(File::connection(libc::AF_INET, far))?;
        Ok((near, far))
    }

    /// A descriptor of a socket that listens at `address`.
    pub(super) fn listen(&mut self, address: SocketAddr) -> Result<OwnedFd, i32> {
        let address = Address::Inet(address);
        let mut socket = Socket::new(address.family());
        socket.binding = Some(self.network.bind(&address)?);
        socket.listen(&mut self.network, BACKLOG)?;
        self.adopt(File::socket(socket))
    }

    fn adopt(&mut self, file: Rc<File>) -> Result<OwnedFd, i32> {
        let (fd, number) = self.descriptors.open()?;
        self.descriptors.put(number, file);
        self.trace.line(self.now, format_args!("f{number} opened"));
        Ok(fd)
    }

    /// Whether an `enter` would bring completions; looking takes a moment of virtual time.
    pub(super) fn is_flagged(&mut self) -> bool {
        self.tick();
        self.queues.has_overflow()
            || self.next_due().is_some_and(|due| due <= self.now)
            || self.watch.look(Duration::ZERO)
            || self.descriptors.has_closed()
    }

    /// A loop that polls without waiting sees time pass, too.
    fn tick(&mut self) {
        self.now += TICK;
    }

    fn next_due(&self) -> Option<Duration> {
        self.requests.values().filter_map(Request::due).min()
    }

    fn stuck(&self) -> io::Error {
        let mut text = "the simulation is stuck: nothing that is in flight can ever end".to_owned();
        for request in self.requests.values() {
            text.push_str(&format!(", #{} {}", request.number, request.kind.name));
        }
        io::Error::new(io::ErrorKind::Deadlock, text)
    }

    /// Some time, mostly short: from a microsecond to twenty milliseconds.
    pub(super) fn draw_delay(&mut self) -> Duration {
        let micros = match self.rng.below(10) {
            0 => 20_000,
            1..=3 => 1_000,
            _ => 50,
        };
        Duration::from_micros(1 + self.rng.below(micros))
    }
}

/// The backlog of a listener that the simulation makes: std's.
const BACKLOG: usize = 128;
/// What looking at the ring without waiting takes.
const TICK: Duration = Duration::from_micros(1);

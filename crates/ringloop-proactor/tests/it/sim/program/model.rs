//! What a program has, and what is known of it.

use std::any::Any;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::{Rc, Weak};

use ringloop_proactor::sim::Simulation;
use ringloop_proactor::{Acceptor, BufGroup, Chunk, Fd, FixedPool, Handle};

use super::disk::File;
use super::flow::Flow;
use super::setup::Setup;

/// Everything but the proactor and what is polled.
pub(super) struct Model {
    pub(super) handle: Handle,
    pub(super) simulation: Simulation,
    pub(super) ends: Vec<End>,
    pub(super) flows: Vec<Flow>,
    pub(super) files: Vec<File>,
    /// Chunks that are held, with what is in them.
    pub(super) held: Vec<(Chunk, Vec<u8>)>,
    pub(super) acceptors: Vec<Weak<Acceptor>>,
    pub(super) group: BufGroup,
    pub(super) fixed: FixedPool,
    pub(super) forgotten: Vec<Box<dyn Any>>,
    /// No operation starts any more.
    pub(super) is_down: bool,
    /// Chains are submitted whole. A kernel that is out of memory takes a part of one.
    pub(super) links_hold: bool,
    /// Connections break by themselves, and not everybody hears of it.
    may_reset: bool,
    pub(super) may_flood: bool,
    /// Whatever is in flight may have been asked to end.
    pub(super) is_swept: bool,
    /// Reads are as long as they can be.
    pub(super) reads_are_whole: bool,
    serial: u32,
}

/// A descriptor.
pub(super) struct End {
    pub(super) fd: Fd,
    pub(super) kind: Kind,
    /// What it reads, if that is known.
    pub(super) input: Option<usize>,
    pub(super) output: Option<usize>,
    pub(super) acceptor: Option<Rc<Acceptor>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Socket,
    Listener,
    PipeReader,
    PipeWriter,
    File(usize),
}

impl Model {
    pub(super) fn new(
        handle: Handle,
        simulation: Simulation,
        group: BufGroup,
        fixed: FixedPool,
        setup: &Setup,
    ) -> Self {
        let faults = &setup.faults;
        let files = PATHS.map(|path| {
            let content = super::flow::pattern(u32::MAX, FILE_LEN);
            simulation.write_file(path, &content);
            File::new(&content)
        });
        Self {
            handle,
            simulation,
            ends: Vec::new(),
            flows: Vec::new(),
            files: files.into(),
            held: Vec::new(),
            acceptors: Vec::new(),
            group,
            fixed,
            forgotten: Vec::new(),
            is_down: false,
            is_swept: false,
            links_hold: faults.partial == 0,
            may_reset: faults.reset > 0,
            may_flood: setup.may_flood,
            reads_are_whole: faults.short == 0,
            serial: 0,
        }
    }

    pub(super) fn serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    pub(super) fn add(&mut self, fd: Fd, kind: Kind, input: Option<usize>, output: Option<usize>) {
        if self.ends.len() < ENDS_MAX {
            self.ends.push(End {
                fd,
                kind,
                input,
                output,
                acceptor: None,
            });
        }
    }

    /// Keeps a socket whose peer nobody knows.
    pub(super) fn add_socket(&mut self, socket: OwnedFd) {
        let socket = self.handle.adopt(socket);
        self.add(socket, Kind::Socket, None, None);
    }

    /// The ledgers of both directions of a connection: the number returned, and the one after it.
    pub(super) fn add_flows(&mut self) -> usize {
        let first = self.flows.len();
        for _ in 0..2 {
            self.flows.push(Flow::new(self.may_reset));
        }
        first
    }

    /// Two connected sockets.
    pub(super) fn add_pair(&mut self) {
        let Ok((near, far)) = self.simulation.socket_pair() else {
            return;
        };
        let there = self.add_flows();
        let back = there + 1;
        let (near, far) = (self.handle.adopt(near), self.handle.adopt(far));
        self.add(near, Kind::Socket, Some(back), Some(there));
        self.add(far, Kind::Socket, Some(there), Some(back));
    }

    /// What a flow's operation says: the connection is as good as gone, unless the error passes.
    pub(super) fn failed(&mut self, flow: Option<usize>, error: &io::Error) {
        let passes = [libc::ECANCELED, libc::EINTR, libc::ENOBUFS, libc::EAGAIN];
        if error
            .raw_os_error()
            .is_some_and(|errno| passes.contains(&errno))
        {
            return;
        }
        if let Some(at) = flow {
            // The other direction is the flow beside it.
            self.flows[at].is_broken = true;
            if let Some(other) = self.flows.get_mut(at ^ 1) {
                other.is_broken = true;
            }
        }
    }

    pub(super) fn with_flow(&mut self, flow: Option<usize>, note: impl FnOnce(&mut Flow)) {
        if let Some(at) = flow {
            note(&mut self.flows[at]);
        }
    }

    /// Bytes that came in a chunk, which is held for a while.
    pub(super) fn hold(&mut self, chunk: Chunk) {
        let bytes = chunk.to_vec();
        self.held.push((chunk, bytes));
        if self.held.len() > HELD_MAX {
            self.let_go(0);
        }
    }

    /// Drops a chunk that is held, after a look at what is in it.
    pub(super) fn let_go(&mut self, at: usize) {
        let (chunk, bytes) = self.held.remove(at);
        assert_eq!(&chunk[..], &bytes[..], "a chunk has changed");
    }
}

pub(super) const PATHS: [&str; 2] = ["/tmp/one", "/tmp/two"];
pub(super) const FILE_LEN: usize = 1024;
const ENDS_MAX: usize = 16;
const HELD_MAX: usize = 8;

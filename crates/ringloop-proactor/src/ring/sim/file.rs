//! What a simulated descriptor refers to, and the table of the open ones.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;

use super::channel::{Channel, Shared};
use super::placeholder::{self, Identity};
use super::socket::{Socket, State};
use super::storage::OpenFile;

/// An open file. Descriptors and requests in flight share it; it is released with the last.
#[derive(Debug)]
pub(super) enum File {
    Socket(RefCell<Socket>),
    Regular(OpenFile),
    Directory(Vec<u8>),
    PipeReader(Shared),
    PipeWriter(Shared),
}

impl File {
    pub(super) fn socket(socket: Socket) -> Rc<Self> {
        Rc::new(Self::Socket(RefCell::new(socket)))
    }

    pub(super) fn pipe(capacity: usize) -> (Rc<Self>, Rc<Self>) {
        let channel = Channel::new(capacity);
        let reader = Self::PipeReader(Rc::clone(&channel));
        (Rc::new(reader), Rc::new(Self::PipeWriter(channel)))
    }

    pub(super) fn as_socket(&self) -> Result<&RefCell<Socket>, i32> {
        match self {
            Self::Socket(socket) => Ok(socket),
            Self::Regular(_) | Self::Directory(_) | Self::PipeReader(_) | Self::PipeWriter(_) => {
                Err(libc::ENOTSOCK)
            }
        }
    }

    pub(super) fn as_regular(&self) -> Result<&OpenFile, i32> {
        match self {
            Self::Regular(file) => Ok(file),
            Self::Directory(_) => Err(libc::EISDIR),
            Self::Socket(_) | Self::PipeReader(_) | Self::PipeWriter(_) => Err(libc::EINVAL),
        }
    }

    /// The events that a poll would see, and a number that changes when it would be woken.
    pub(super) fn readiness(&self) -> (u32, u64) {
        let (events, wakes) = match self {
            Self::Socket(socket) => return socket.borrow().readiness(),
            Self::Regular(_) | Self::Directory(_) => (libc::POLLIN | libc::POLLOUT, 0),
            Self::PipeReader(channel) => {
                let channel = channel.borrow();
                let data = if channel.len() > 0 { libc::POLLIN } else { 0 };
                let end = if channel.is_ended { libc::POLLHUP } else { 0 };
                (data | end, channel.wakes())
            }
            Self::PipeWriter(channel) => {
                let channel = channel.borrow();
                let room = if channel.room() > 0 { libc::POLLOUT } else { 0 };
                let end = if channel.is_unread { libc::POLLERR } else { 0 };
                (room | end, channel.wakes())
            }
        };
        (u32::from(events.cast_unsigned()), wakes)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        match self {
            Self::PipeReader(channel) => drop(channel.borrow_mut().abandon()),
            Self::PipeWriter(channel) => channel.borrow_mut().end(),
            // What sockets are made of ends by itself.
            Self::Socket(_) | Self::Regular(_) | Self::Directory(_) => {}
        }
    }
}

impl Socket {
    fn readiness(&self) -> (u32, u64) {
        let (events, wakes) = match &self.state {
            State::Fresh | State::Deaf => (libc::POLLOUT | libc::POLLHUP, 0),
            State::Listening(listener) => {
                let listener = listener.borrow();
                let is_empty = listener.backlog.is_empty();
                (if is_empty { 0 } else { libc::POLLIN }, listener.wakes)
            }
            State::Connected(stream) => {
                let (incoming, outgoing) = (stream.incoming.borrow(), stream.outgoing.borrow());
                let mut events = 0;
                if incoming.len() > 0 || incoming.is_ended {
                    events |= libc::POLLIN;
                }
                if incoming.is_ended {
                    events |= libc::POLLRDHUP;
                }
                if incoming.is_ended && outgoing.is_ended {
                    events |= libc::POLLHUP;
                }
                if incoming.error.is_some() {
                    events |= libc::POLLERR;
                }
                if outgoing.room() > 0 {
                    events |= libc::POLLOUT;
                }
                (events, incoming.wakes() + outgoing.wakes())
            }
        };
        (u32::from(events.cast_unsigned()), wakes)
    }
}

/// The simulated descriptors that user code has open, by the order in which they were opened.
#[derive(Debug, Default)]
pub(super) struct Descriptors {
    open: BTreeMap<u32, Open>,
    numbers: BTreeMap<Identity, u32>,
    last: u32,
}

#[derive(Debug)]
struct Open {
    identity: Identity,
    kept: OwnedFd,
    file: Rc<File>,
}

/// What the number in an entry refers to.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Simulated(u32, Rc<File>),
    /// A descriptor of the kernel.
    Real(Identity),
    Closed,
}

impl Descriptors {
    /// Opens a descriptor: the one for user code, and the simulation's number of it. What it is for is
    /// [`put`](Self::put) there at once.
    pub(super) fn open(&mut self) -> Result<(OwnedFd, u32), i32> {
        let (given, kept) = placeholder::open()?;
        let identity = placeholder::identity(given.as_raw_fd()).ok_or(libc::EBADF)?;
        self.count_one();
        self.numbers.insert(identity, self.last);
        self.open.insert(
            self.last,
            Open {
                identity,
                kept,
                file: Rc::new(File::Directory(Vec::new())),
            },
        );
        Ok((given, self.last))
    }

    /// The next number of the simulation's own.
    pub(super) fn count_one(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    pub(super) fn put(&mut self, number: u32, file: Rc<File>) {
        if let Some(open) = self.open.get_mut(&number) {
            open.file = file;
        }
    }

    pub(super) fn find(&self, fd: RawFd) -> Target {
        let Some(identity) = placeholder::identity(fd) else {
            return Target::Closed;
        };
        match self.numbers.get(&identity) {
            Some(&number) => Target::Simulated(number, Rc::clone(&self.open[&number].file)),
            None => Target::Real(identity),
        }
    }

    /// Lets go of what user code has closed; returns the numbers, in their order.
    pub(super) fn reap(&mut self) -> Vec<u32> {
        if self.open.is_empty() {
            return Vec::new();
        }
        let gone = placeholder::abandoned(self.open.values().map(|open| &open.kept));
        let gone: Vec<u32> = self
            .open
            .keys()
            .zip(gone)
            .filter_map(|(&number, is_gone)| is_gone.then_some(number))
            .collect();
        for number in &gone {
            if let Some(open) = self.open.remove(number) {
                self.numbers.remove(&open.identity);
            }
        }
        gone
    }

    /// Whether user code has closed something since.
    pub(super) fn has_closed(&self) -> bool {
        !self.open.is_empty()
            && placeholder::abandoned(self.open.values().map(|open| &open.kept)).contains(&true)
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }
}

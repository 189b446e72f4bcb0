//! A look at a simulated ring from outside.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::address::Address;
use super::file::Target;
use super::storage::Node;
use super::world::World;

/// What a simulated proactor runs on, to be looked at. It outlives the proactor.
///
/// # Examples
///
/// ```
/// use ringloop_core::Driver;
/// use ringloop_proactor::sim::SimConfig;
/// use ringloop_proactor::{Config, Proactor};
/// use std::time::Duration;
///
/// let mut proactor = Proactor::simulated(&Config::default(), &SimConfig::default());
/// let simulation = proactor.simulation().expect("it is simulated");
/// proactor.park(Some(Duration::from_secs(3600)))?;
/// assert!(simulation.elapsed() >= Duration::from_secs(3600));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Simulation {
    world: Rc<RefCell<World>>,
}

impl Simulation {
    pub(super) fn new(world: Rc<RefCell<World>>) -> Self {
        Self { world }
    }

    /// Returns what has happened so far, a line per event, beginning with the virtual time in
    /// microseconds.
    ///
    /// The same program on the same seed has the same trace: requests and descriptors have numbers
    /// of the simulation's own.
    #[must_use]
    pub fn trace(&self) -> String {
        self.world.borrow().trace.text().to_owned()
    }

    /// Returns the virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        let world = self.world.borrow();
        world.epoch + world.now
    }

    /// Returns how much virtual time has passed since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.world.borrow().now
    }

    /// Returns how many simulated descriptors are open, duplicates not counted.
    #[must_use]
    pub fn open_descriptors(&self) -> usize {
        let mut world = self.world.borrow_mut();
        world.reap();
        world.descriptors.len()
    }

    /// Returns how many slots for direct descriptors are taken.
    #[must_use]
    pub fn direct_descriptors(&self) -> usize {
        self.world.borrow().direct.len()
    }

    /// Returns how many requests were submitted and have not had their last completion.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        let world = self.world.borrow();
        world.submitted - world.ended
    }

    /// Returns how many provided buffers came with a completion and were not provided again.
    #[must_use]
    pub fn lent_buffers(&self) -> usize {
        self.world.borrow_mut().groups.lent()
    }

    /// Returns the address that a simulated socket is bound to, as `getsockname(2)` would.
    #[must_use]
    pub fn local_address(&self, fd: BorrowedFd<'_>) -> Option<SocketAddr> {
        let world = self.world.borrow();
        let Target::Simulated(_, file) = world.descriptors.find(fd.as_raw_fd()) else {
            return None;
        };
        let socket = file.as_socket().ok()?.borrow();
        match &socket.binding.as_ref()?.address {
            Address::Inet(address) => Some(*address),
            Address::Unix(_) => None,
        }
    }

    /// Returns two ends of a new connection, as `socketpair(2)` of stream sockets would.
    ///
    /// # Errors
    ///
    /// `EMFILE` and `ENFILE` if there is no real descriptor for a placeholder.
    pub fn socket_pair(&self) -> io::Result<(OwnedFd, OwnedFd)> {
        let pair = self.world.borrow_mut().socket_pair();
        pair.map_err(io::Error::from_raw_os_error)
    }

    /// Returns a socket that listens at `address`, as `listen(2)` would make it of one.
    ///
    /// # Errors
    ///
    /// `EADDRINUSE`, and `EMFILE` or `ENFILE` if there is no real descriptor for the placeholder.
    pub fn listen(&self, address: SocketAddr) -> io::Result<OwnedFd> {
        let listening = self.world.borrow_mut().listen(address);
        listening.map_err(io::Error::from_raw_os_error)
    }

    /// Returns what is in a simulated file; `None` if there is no such file.
    #[must_use]
    pub fn read_file(&self, path: &str) -> Option<Vec<u8>> {
        match self.world.borrow().storage.find(path.as_bytes()) {
            Ok(Node::File(inode)) => Some(inode.bytes.borrow().clone()),
            Ok(Node::Directory) | Err(_) => None,
        }
    }

    /// Replaces what is in a simulated file, which is made if it does not exist.
    ///
    /// # Panics
    ///
    /// If the directory of `path` does not exist. The root and `/tmp` do.
    pub fn write_file(&self, path: &str, bytes: &[u8]) {
        let flags = libc::O_CREAT | libc::O_WRONLY;
        let opened = self
            .world
            .borrow_mut()
            .storage
            .open(path.as_bytes(), flags, 0o644);
        match opened {
            Ok(Node::File(inode)) => *inode.bytes.borrow_mut() = bytes.to_vec(),
            Ok(Node::Directory) | Err(_) => panic!("{path} cannot be written"),
        }
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("elapsed", &self.elapsed())
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}

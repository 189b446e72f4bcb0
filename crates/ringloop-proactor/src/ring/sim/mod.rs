//! The simulated ring: turns entries into completions without a kernel.
//!
//! It interprets entries in user space, on virtual time, with faults that a seed determines. Sockets,
//! pipes, files and timers are its own; it reads and writes the memory that entries name through the
//! same addresses as the kernel would, and at moments at which the kernel might. Whatever is built
//! on a ring runs on this one unchanged.
//!
//! | part | holds |
//! |---|---|
//! | `queues` | what was pushed, what can be taken |
//! | `world` | everything else, and how time passes |
//! | `submit`, `finish`, `cancel` | the life of a request |
//! | `ops` | what the operations do |
//! | `file`, `direct`, `socket`, `channel`, `storage`, `buffers` | what they do it to |
//! | `placeholder`, `watch`, `memory` | where the simulation touches the real world |

mod address;
mod buffers;
mod cancel;
mod channel;
mod config;
mod direct;
mod faults;
mod file;
mod finish;
mod memory;
mod opcode;
mod ops;
mod placeholder;
mod queues;
mod request;
mod rng;
mod simulation;
mod socket;
mod storage;
mod submit;
mod trace;
mod watch;
mod world;

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;

use self::memory::Window;
use self::world::World;
use super::{Clock, Cqe, Sqe};
use crate::config::Config;
use crate::features::Features;

pub use config::SimConfig;
pub use faults::Faults;
pub use simulation::Simulation;

/// A submission and a completion queue, and the world behind them.
pub(crate) struct SimRing {
    world: Rc<RefCell<World>>,
}

impl SimRing {
    pub(crate) fn new(config: &Config, sim: &SimConfig) -> io::Result<Self> {
        let world = World::new(config, sim)?;
        Ok(Self {
            world: Rc::new(RefCell::new(world)),
        })
    }

    /// The clock that the waits of this ring agree with.
    pub(crate) fn clock(&self) -> Clock {
        Clock::Virtual(Simulation::new(Rc::clone(&self.world)))
    }

    pub(crate) fn push(&mut self, sqe: &Sqe) -> bool {
        self.world.borrow_mut().queues.push(*sqe)
    }

    pub(crate) fn push_chain(&mut self, sqes: &[Sqe]) -> bool {
        self.world.borrow_mut().queues.push_chain(sqes)
    }

    pub(crate) fn capacity(&self) -> usize {
        self.world.borrow().queues.submissions_max()
    }

    pub(crate) fn features(&self) -> Features {
        let world = self.world.borrow();
        Features {
            submission_entries: narrow(world.queues.submissions_max()),
            completion_entries: narrow(world.queues.completions_max()),
            ..Features::default()
        }
    }

    /// A forked child can go on with its copy of the simulation.
    pub(crate) fn is_inherited(&self) -> bool {
        false
    }

    pub(crate) fn empty_slot(&mut self, slot: u32) -> io::Result<()> {
        let emptied = self.world.borrow_mut().direct.close(slot);
        emptied.map_err(io::Error::from_raw_os_error)
    }

    /// No thread polls a simulated ring.
    pub(crate) fn share_thread(&mut self) -> io::Result<OwnedFd> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn register_direct_table(&mut self, slots: u32) -> io::Result<()> {
        let made = self.world.borrow_mut().direct.make(slots);
        made.map_err(io::Error::from_raw_os_error)
    }

    /// There is one simulated ring in its world: nobody could send to it.
    pub(crate) fn address(&self) -> io::Result<OwnedFd> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn supports(&mut self, opcode: u8) -> bool {
        self.world.borrow().kind(opcode).is_some()
    }

    pub(crate) fn enter(&mut self, want: u32, timeout: Option<Duration>) -> io::Result<()> {
        self.world.borrow_mut().enter(want, timeout)
    }

    pub(crate) fn completions(&mut self) -> impl Iterator<Item = Cqe> + '_ {
        std::iter::from_fn(|| self.world.borrow_mut().queues.next_completion())
    }

    pub(crate) fn has_completions(&mut self) -> bool {
        self.world.borrow().queues.completion_count() > 0
    }

    pub(crate) fn has_unsubmitted(&self) -> bool {
        self.world.borrow().queues.submission_count() > 0
    }

    pub(crate) fn has_overflowed(&self) -> bool {
        self.world.borrow().queues.has_overflow()
    }

    pub(crate) fn is_flagged(&mut self) -> bool {
        self.world.borrow_mut().is_flagged()
    }

    pub(crate) fn register_buffers(
        &mut self,
        address: usize,
        entries: u16,
        group: u16,
        flags: u16,
    ) -> io::Result<()> {
        let groups = &mut self.world.borrow_mut().groups;
        let registered = groups.register(group, address as u64, entries, flags);
        registered.map_err(io::Error::from_raw_os_error)
    }

    /// Any memory can be used as registered: nothing is gained by it here.
    pub(crate) fn register_fixed_table(&mut self, _count: u32) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn update_fixed(
        &mut self,
        index: u16,
        address: usize,
        len: usize,
    ) -> io::Result<()> {
        let window = Window::new(address as u64, len as u64);
        self.world.borrow_mut().groups.fix(index, window);
        Ok(())
    }

    pub(crate) fn unregister_buffers(&mut self, group: u16) -> io::Result<()> {
        let unregistered = self.world.borrow_mut().groups.unregister(group);
        unregistered.map_err(io::Error::from_raw_os_error)
    }
}

/// Closing a ring is no barrier: the kernel writes into what is in flight once more.
impl Drop for SimRing {
    fn drop(&mut self) {
        self.world.borrow_mut().abandon();
    }
}

impl fmt::Debug for SimRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimRing").finish_non_exhaustive()
    }
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;

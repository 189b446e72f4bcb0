//! The kernel boundary as data: entries in, `enter`, entries out.
//!
//! Everything above speaks of [`Sqe`] and [`Cqe`], plain structs. A ring turns one into the other;
//! the kernel's ring is one way to do that. There is one variant, so there is nothing to dispatch.
//! A ring knows no operations, no wakers and no memory but its own queues.

mod clock;
mod cqe;
mod enter;
mod fork_mark;
mod kernel;
mod opcodes;
mod pause;
mod probe;
mod registered;
mod setup;
mod sqe;
mod wake;

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use crate::config::Config;
use crate::features::Features;
use crate::setup_error::SetupError;

pub(crate) use clock::{TickClock, ticks};
pub use cqe::Cqe;
pub(crate) use kernel::KernelRing;
pub(crate) use probe::{explain, explain_eventfd, explain_page};
pub use sqe::Sqe;
pub(crate) use sqe::{BUFFER_SELECT, FIXED_FILE, IO_HARDLINK, IO_LINK, RW_BYTES_MAX, SKIP_SUCCESS};
pub(crate) use wake::SleepWord;

/// A submission queue and a completion queue.
#[derive(Debug)]
pub(crate) enum Ring {
    /// The queues that the kernel shares with this process.
    Kernel(KernelRing),
}

impl Ring {
    pub(crate) fn new(config: &Config) -> Result<Self, SetupError> {
        KernelRing::new(config).map(Self::Kernel)
    }

    /// What the kernel gave.
    pub(crate) fn features(&self) -> Features {
        let Self::Kernel(ring) = self;
        ring.features()
    }

    /// Whether this is the copy that a forked child has: then it is dropped and nothing else.
    #[inline]
    pub(crate) fn is_inherited(&self) -> bool {
        let Self::Kernel(ring) = self;
        ring.is_inherited()
    }

    /// Queues `sqe`. Returns `false` if the queue is full: [`enter`](Self::enter) makes room.
    #[inline]
    pub(crate) fn push(&mut self, sqe: &Sqe) -> bool {
        let Self::Kernel(ring) = self;
        ring.push(sqe)
    }

    /// Queues all of `sqes`, or none if there is no room for all. The kernel sees them at once.
    pub(crate) fn push_chain(&mut self, sqes: &[Sqe]) -> bool {
        let Self::Kernel(ring) = self;
        ring.push_chain(sqes)
    }

    /// How many entries a chain may have.
    pub(crate) fn capacity(&self) -> usize {
        let Self::Kernel(ring) = self;
        ring.capacity()
    }

    /// Registers a table of `slots` direct descriptors, all empty.
    pub(crate) fn register_direct_table(&mut self, slots: u32) -> io::Result<()> {
        let Self::Kernel(ring) = self;
        ring.register_direct_table(slots)
    }

    /// Closes the direct descriptor in `slot`.
    pub(crate) fn empty_slot(&mut self, slot: u32) -> io::Result<()> {
        let Self::Kernel(ring) = self;
        ring.empty_slot(slot)
    }

    /// A descriptor for another ring that is going to share the polling thread.
    pub(crate) fn share_thread(&mut self) -> io::Result<OwnedFd> {
        let Self::Kernel(ring) = self;
        ring.share_thread()
    }

    /// A descriptor of the ring itself, for others to send messages to.
    pub(crate) fn address(&self) -> io::Result<OwnedFd> {
        let Self::Kernel(ring) = self;
        ring.address()
    }

    /// Submits what is queued, and waits for `want` completions or until `timeout` has passed.
    ///
    /// Interruptions, time-outs and a kernel that is short of memory for a moment are `Ok`.
    #[inline]
    pub(crate) fn enter(&mut self, want: u32, timeout: Option<Duration>) -> io::Result<()> {
        let Self::Kernel(ring) = self;
        ring.enter(want, timeout)
    }

    /// Takes the completions that are there.
    #[inline]
    pub(crate) fn completions(&mut self) -> impl Iterator<Item = Cqe> + '_ {
        let Self::Kernel(ring) = self;
        ring.completions()
    }

    /// Whether entries are queued that only an `enter` hands to the kernel.
    #[inline]
    pub(crate) fn has_unsubmitted(&self) -> bool {
        let Self::Kernel(ring) = self;
        ring.has_unsubmitted()
    }

    /// Whether completions wait that only an `enter` brings into the queue.
    #[inline]
    pub(crate) fn is_flagged(&mut self) -> bool {
        let Self::Kernel(ring) = self;
        ring.is_flagged()
    }

    /// Whether [`completions`](Self::completions) has any.
    #[inline]
    pub(crate) fn has_completions(&mut self) -> bool {
        let Self::Kernel(ring) = self;
        ring.has_completions()
    }

    /// Whether the kernel knows `opcode`. The first call asks it, the others look into a mask.
    pub(crate) fn supports(&mut self, opcode: u8) -> bool {
        let Self::Kernel(ring) = self;
        ring.supports(opcode)
    }

    /// Registers `entries` provided-buffer descriptors at `address` as buffer group `group`, with
    /// `IOU_PBUF_RING_*` flags.
    pub(crate) fn register_buffers(
        &mut self,
        address: usize,
        entries: u16,
        group: u16,
        flags: u16,
    ) -> io::Result<()> {
        let Self::Kernel(ring) = self;
        ring.register_buffers(address, entries, group, flags)
    }

    /// Registers an empty table for `count` stretches of memory.
    pub(crate) fn register_fixed_table(&mut self, count: u32) -> io::Result<()> {
        let Self::Kernel(ring) = self;
        ring.register_fixed_table(count)
    }

    /// Registers `len` bytes at `address` in place `index` of that table; none empties the place.
    pub(crate) fn update_fixed(
        &mut self,
        index: u16,
        address: usize,
        len: usize,
    ) -> io::Result<()> {
        let Self::Kernel(ring) = self;
        ring.update_fixed(index, address, len)
    }

    /// Takes buffer group `group` back from the kernel.
    pub(crate) fn unregister_buffers(&mut self, group: u16) -> io::Result<()> {
        let Self::Kernel(ring) = self;
        ring.unregister_buffers(group)
    }
}

#[cfg(test)]
mod tests {
    use super::Ring;
    use crate::config::Config;

    #[test]
    fn the_kernel_says_which_operations_it_knows() {
        let mut ring = Ring::new(&Config::default()).unwrap();
        assert!(ring.supports(io_uring::opcode::Nop::CODE));
        assert!(ring.supports(io_uring::opcode::SendZc::CODE));
        assert!(!ring.supports(u8::MAX));
    }
}

//! The kernel boundary as data: entries in, `enter`, entries out.
//!
//! Everything above speaks of [`Sqe`] and [`Cqe`], plain structs. A ring turns one into the other;
//! the kernel's ring is one way to do that. With the feature `sim`, a simulation is another; without
//! it there is one variant, so there is nothing to dispatch.
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
mod restriction;
mod setup;
mod shortage;
#[cfg(feature = "sim")]
pub(crate) mod sim;
mod sqe;
mod time;
mod wake;

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use crate::config::Config;
use crate::features::Features;
use crate::setup_error::SetupError;

pub(crate) use clock::{TickClock, ticks};
pub use cqe::Cqe;
pub(crate) use fork_mark::ForkMark;
pub(crate) use kernel::KernelRing;
pub(crate) use probe::{explain, explain_eventfd, explain_page};
pub use sqe::Sqe;
pub(crate) use sqe::{
    BUFFER_SELECT, FIXED_FILE, IO_HARDLINK, IO_LINK, NO_HOME, RW_BYTES_MAX, SKIP_SUCCESS,
};
pub(crate) use time::Clock;
pub(crate) use wake::SleepWord;

/// A submission queue and a completion queue.
#[derive(Debug)]
#[cfg_attr(
    feature = "sim",
    expect(
        clippy::large_enum_variant,
        reason = "the kernel's ring is the one that has to be near"
    )
)]
pub(crate) enum Ring {
    /// The queues that the kernel shares with this process.
    Kernel(KernelRing),
    /// Queues that user space interprets.
    #[cfg(feature = "sim")]
    Sim(sim::SimRing),
}

impl Ring {
    pub(crate) fn new(config: &Config) -> Result<Self, SetupError> {
        KernelRing::new(config).map(Self::Kernel)
    }

    /// What the kernel gave.
    pub(crate) fn features(&self) -> Features {
        match self {
            Self::Kernel(ring) => ring.features(),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.features(),
        }
    }

    /// Tells a forked child that it has a copy: then the ring is dropped and nothing else.
    pub(crate) fn mark(&self) -> ForkMark {
        match self {
            Self::Kernel(ring) => ring.mark(),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.mark(),
        }
    }

    /// The clock that the waits of this ring agree with.
    pub(crate) fn clock(&self) -> Clock {
        match self {
            Self::Kernel(_) => Clock::Monotonic,
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.clock(),
        }
    }

    /// Queues `sqe`. Returns `false` if the queue is full: [`enter`](Self::enter) makes room.
    #[inline]
    pub(crate) fn push(&mut self, sqe: &Sqe) -> bool {
        match self {
            Self::Kernel(ring) => ring.push(sqe),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.push(sqe),
        }
    }

    /// Queues all of `sqes`, or none if there is no room for all. The kernel sees them at once.
    pub(crate) fn push_chain(&mut self, sqes: &[Sqe]) -> bool {
        match self {
            Self::Kernel(ring) => ring.push_chain(sqes),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.push_chain(sqes),
        }
    }

    /// How many entries a chain may have.
    pub(crate) fn capacity(&self) -> usize {
        match self {
            Self::Kernel(ring) => ring.capacity(),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.capacity(),
        }
    }

    /// Whether there were more completions than the queue holds. The next `enter` brings them.
    pub(crate) fn has_overflowed(&self) -> bool {
        match self {
            Self::Kernel(ring) => ring.has_overflowed(),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.has_overflowed(),
        }
    }

    /// Registers a table of `slots` direct descriptors, all empty.
    pub(crate) fn register_direct_table(&mut self, slots: u32) -> io::Result<()> {
        match self {
            Self::Kernel(ring) => ring.register_direct_table(slots),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.register_direct_table(slots),
        }
    }

    /// Closes the direct descriptor in `slot`.
    pub(crate) fn empty_slot(&mut self, slot: u32) -> io::Result<()> {
        match self {
            Self::Kernel(ring) => ring.empty_slot(slot),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.empty_slot(slot),
        }
    }

    /// Empties the first `count` slots of the table of direct descriptors.
    pub(crate) fn empty_slots(&mut self, count: u32) -> io::Result<()> {
        match self {
            Self::Kernel(ring) => ring.empty_slots(count),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => {
                // Those that are empty say so.
                (0..count).for_each(|slot| drop(ring.empty_slot(slot)));
                Ok(())
            }
        }
    }

    /// A descriptor for another ring that is going to share the polling thread.
    pub(crate) fn share_thread(&mut self) -> io::Result<OwnedFd> {
        match self {
            Self::Kernel(ring) => ring.share_thread(),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.share_thread(),
        }
    }

    /// A descriptor of the ring itself, for others to send messages to.
    pub(crate) fn address(&self) -> io::Result<OwnedFd> {
        match self {
            Self::Kernel(ring) => ring.address(),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.address(),
        }
    }

    /// Submits what is queued, and waits for `want` completions or until `timeout` has passed.
    ///
    /// Interruptions, time-outs and a kernel that is short of memory for a moment are `Ok`.
    #[inline]
    pub(crate) fn enter(&mut self, want: u32, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Kernel(ring) => ring.enter(want, timeout),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.enter(want, timeout),
        }
    }

    /// The same for a ring that is known to have no polling thread.
    #[inline]
    pub(crate) fn enter_plain(&mut self, want: u32, timeout: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Kernel(ring) => ring.enter_plain(want, timeout),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.enter(want, timeout),
        }
    }

    /// Takes the completions that are there.
    #[inline]
    pub(crate) fn completions(&mut self) -> impl Iterator<Item = Cqe> + '_ {
        match self {
            Self::Kernel(ring) => Completions::Kernel(ring.completions()),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => Completions::Sim(ring.completions()),
        }
    }

    /// Whether entries are queued that only an `enter` hands to the kernel.
    #[inline]
    pub(crate) fn has_unsubmitted(&self) -> bool {
        match self {
            Self::Kernel(ring) => ring.has_unsubmitted(),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.has_unsubmitted(),
        }
    }

    /// Whether completions wait that only an `enter` brings into the queue.
    #[inline]
    pub(crate) fn is_flagged(&mut self) -> bool {
        match self {
            Self::Kernel(ring) => ring.is_flagged(),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.is_flagged(),
        }
    }

    /// Whether [`completions`](Self::completions) has any.
    #[inline]
    pub(crate) fn has_completions(&mut self) -> bool {
        match self {
            Self::Kernel(ring) => ring.has_completions(),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.has_completions(),
        }
    }

    /// Whether the kernel knows `opcode`. The first call asks it, the others look into a mask.
    pub(crate) fn supports(&mut self, opcode: u8) -> bool {
        match self {
            Self::Kernel(ring) => ring.supports(opcode),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.supports(opcode),
        }
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
        match self {
            Self::Kernel(ring) => ring.register_buffers(address, entries, group, flags),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.register_buffers(address, entries, group, flags),
        }
    }

    /// Registers an empty table for `count` stretches of memory.
    pub(crate) fn register_fixed_table(&mut self, count: u32) -> io::Result<()> {
        match self {
            Self::Kernel(ring) => ring.register_fixed_table(count),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.register_fixed_table(count),
        }
    }

    /// Registers `len` bytes at `address` in place `index` of that table; none empties the place.
    pub(crate) fn update_fixed(
        &mut self,
        index: u16,
        address: usize,
        len: usize,
    ) -> io::Result<()> {
        match self {
            Self::Kernel(ring) => ring.update_fixed(index, address, len),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.update_fixed(index, address, len),
        }
    }

    /// Takes buffer group `group` back from the kernel.
    pub(crate) fn unregister_buffers(&mut self, group: u16) -> io::Result<()> {
        match self {
            Self::Kernel(ring) => ring.unregister_buffers(group),
            #[cfg(feature = "sim")]
            Self::Sim(ring) => ring.unregister_buffers(group),
        }
    }
}

/// The completions of either ring.
enum Completions<K, #[cfg(feature = "sim")] S> {
    Kernel(K),
    #[cfg(feature = "sim")]
    Sim(S),
}

#[cfg(not(feature = "sim"))]
impl<K: Iterator<Item = Cqe>> Iterator for Completions<K> {
    type Item = Cqe;

    #[inline]
    fn next(&mut self) -> Option<Cqe> {
        let Self::Kernel(completions) = self;
        completions.next()
    }
}

#[cfg(feature = "sim")]
impl<K: Iterator<Item = Cqe>, S: Iterator<Item = Cqe>> Iterator for Completions<K, S> {
    type Item = Cqe;

    fn next(&mut self) -> Option<Cqe> {
        match self {
            Self::Kernel(completions) => completions.next(),
            Self::Sim(completions) => completions.next(),
        }
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

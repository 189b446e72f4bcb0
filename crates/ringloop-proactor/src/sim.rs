//! Proactors on a simulated ring: virtual time, and faults that a seed determines.
//!
//! The simulation interprets entries in user space, so a proactor on it behaves as on the kernel's
//! ring, only that it can be made to meet, and to meet again, whatever the kernel does once in a
//! million times. Sockets, pipes and files are simulated; a program makes them with operations
//! ([`Handle::socket`](crate::Handle::socket), [`Handle::open`](crate::Handle::open)) or takes them
//! from the [`Simulation`]. Real descriptors can be polled and closed, nothing else.
//!
//! - Nothing happens but in [`park`](ringloop_core::Driver::park). When nothing can go on, the clock
//!   jumps to the next moment at which something is due, so a sleep takes no real time.
//! - The same program on the same seed has the same [trace](Simulation::trace).
//! - Memory is read and written through the addresses in the entries. With
//!   [`Faults::scribble`] a destination is overwritten before its time, and with
//!   [`Faults::delay`] what is sent is read late: a program that touches what is in flight shows
//!   it, most of all under AddressSanitizer.
//! - What must never happen is a panic: two live requests of one name, a provided buffer given
//!   back twice, a zero-copy buffer changed before its notification.
//!
//! A descriptor of the simulation is a real one, of a pipe that nobody uses. So numbers are reused
//! as ever, and dropping an [`OwnedFd`](std::os::fd::OwnedFd) closes the simulated file.
//!
//! # Examples
//!
//! ```
//! use ringloop_proactor::sim::{Faults, SimConfig};
//! use ringloop_proactor::{Config, Proactor, Receiver, Sender};
//!
//! let mut faults = Faults::wild();
//! faults.reset = 0;
//! let sim = SimConfig::default().seed(1).faults(faults);
//! let mut proactor = Proactor::simulated(&Config::default(), &sim);
//! let simulation = proactor.simulation().expect("it is simulated");
//! let (near, far) = simulation.socket_pair()?;
//! let handle = proactor.handle();
//! let mut sender = Sender::new(handle.adopt(near));
//! let mut receiver = Receiver::new(handle.adopt(far));
//! let mut text = [0; 5];
//! proactor.block_on(async {
//!     sender.write_all(b"hello").await?;
//!     let mut count = 0;
//!     while count < text.len() {
//!         count += receiver.read(&mut text[count..]).await?;
//!     }
//!     Ok::<(), std::io::Error>(())
//! })??;
//! assert_eq!(&text, b"hello");
//! # Ok::<(), std::io::Error>(())
//! ```

use std::time::Duration;

use crate::config::Config;
use crate::proactor::Proactor;
use crate::ring::sim::SimRing;
use crate::ring::{Clock, Ring};
use crate::shared::Shared;

pub use crate::ring::sim::{Faults, SimConfig, Simulation};

impl Proactor {
    /// Makes a simulated ring.
    ///
    /// Of `config`, what only the kernel can do is left out: threads, polling, spinning.
    ///
    /// # Panics
    ///
    /// If the process has no descriptor left for the simulation's own use.
    #[must_use]
    pub fn simulated(config: &Config, sim: &SimConfig) -> Self {
        let mut config = config.clone();
        config.spin = Duration::ZERO;
        config.device_polling = false;
        config.kernel_polling = None;
        let ring = SimRing::new(&config, sim).expect("a descriptor for epoll");
        let shared = Shared::on(Ring::Sim(ring), &config).expect("a descriptor for the wake-up");
        Self::of(shared, &config)
    }

    /// Returns the simulation that the proactor runs on, if it is a simulated one.
    #[must_use]
    pub fn simulation(&self) -> Option<Simulation> {
        match self.clock() {
            Clock::Monotonic => None,
            Clock::Virtual(simulation) => Some(simulation.clone()),
        }
    }
}

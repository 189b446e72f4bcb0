//! Where a proactor's time comes from.

use std::time::Instant;

#[cfg(feature = "sim")]
use super::sim::Simulation;

/// The clock that a ring's waits agree with.
#[derive(Debug)]
pub(crate) enum Clock {
    /// `CLOCK_MONOTONIC`, which the kernel's ring waits on.
    Monotonic,
    /// The time of a simulated ring, which passes by jumps.
    #[cfg(feature = "sim")]
    Virtual(Simulation),
}

impl Clock {
    /// Whether time passes by itself.
    pub(crate) fn is_real(&self) -> bool {
        matches!(self, Self::Monotonic)
    }

    pub(crate) fn now(&self) -> Instant {
        match self {
            Self::Monotonic => crate::proactor::now(),
            #[cfg(feature = "sim")]
            Self::Virtual(simulation) => simulation.now(),
        }
    }
}

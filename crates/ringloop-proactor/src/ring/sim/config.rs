//! What a simulation is made with.

use std::time::{Duration, Instant};

use super::faults::Faults;

/// The seed, the faults and the sizes of a simulation.
///
/// # Examples
///
/// ```
/// use ringloop_proactor::sim::{Faults, SimConfig};
/// use ringloop_proactor::{Config, Proactor};
///
/// let sim = SimConfig::default().seed(7).faults(Faults::wild());
/// let mut proactor = Proactor::simulated(&Config::default(), &sim);
/// proactor.block_on(proactor.handle().nop())??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SimConfig {
    pub(super) seed: u64,
    pub(super) faults: Faults,
    pub(super) epoch: Option<Instant>,
    pub(super) completion_entries: Option<u32>,
    pub(super) socket_bytes: usize,
    pub(super) patience: Duration,
    pub(super) missing: Vec<u8>,
    pub(super) is_traced: bool,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            faults: Faults::none(),
            epoch: None,
            completion_entries: None,
            socket_bytes: 64 * 1024,
            patience: Duration::from_secs(10),
            missing: Vec::new(),
            is_traced: true,
        }
    }
}

impl SimConfig {
    /// Sets the seed: the same program on the same seed sees the same faults at the same moments.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Sets what goes wrong; nothing by default.
    #[must_use]
    pub fn faults(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// Sets what the virtual clock shows at the start; the real time of the start by default.
    #[must_use]
    pub fn epoch(self, epoch: Instant) -> Self {
        Self {
            epoch: Some(epoch),
            ..self
        }
    }

    /// Sets the number of completions that fit into the queue, at least one; as many as on the
    /// kernel's ring by default. What does not fit overflows and is not lost.
    #[must_use]
    pub fn completion_entries(self, entries: u32) -> Self {
        Self {
            completion_entries: Some(entries.max(1)),
            ..self
        }
    }

    /// Sets how many bytes a pipe, or one direction of a connection, holds; 64 KiB by default.
    #[must_use]
    pub fn socket_bytes(self, bytes: usize) -> Self {
        Self {
            socket_bytes: bytes.max(1),
            ..self
        }
    }

    /// Sets how much real time is spent waiting for other threads, ten seconds by default, before
    /// a simulation in which nothing else can happen is declared stuck.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Takes an operation (`IORING_OP_*`) away, as an older kernel would: it answers `EINVAL`.
    #[must_use]
    pub fn without(mut self, opcode: u8) -> Self {
        self.missing.push(opcode);
        self
    }

    /// Keeps no trace, for long runs.
    #[must_use]
    pub fn untraced(self) -> Self {
        Self {
            is_traced: false,
            ..self
        }
    }
}

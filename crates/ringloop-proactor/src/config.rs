//! What a proactor is made with.

use std::time::Duration;

/// The sizes and bounds of a [`Proactor`](crate::Proactor); every default is sensible.
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{Config, Proactor};
///
/// let proactor = Proactor::new(&Config::default().ring_entries(64))?;
/// # drop(proactor);
/// # Ok::<(), ringloop_proactor::SetupError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) ring_entries: u32,
    pub(crate) buffer_count: u16,
    pub(crate) buffer_len_bytes: u32,
    pub(crate) direct_descriptors: u32,
    pub(crate) linger: Duration,
    pub(crate) drain: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ring_entries: 256,
            buffer_count: 512,
            buffer_len_bytes: 16 * 1024,
            direct_descriptors: 256,
            linger: Duration::from_secs(1),
            drain: Duration::from_secs(5),
        }
    }
}

impl Config {
    /// Sets the number of submission entries, 256 by default; rounded up to a power of two.
    ///
    /// The completion queue has four times as many. Rings count against the user's locked-memory
    /// limit, so small is good; a full queue is an extra `io_uring_enter(2)`, never an error. If
    /// memory is short, a smaller ring is made, down to 32 entries.
    #[must_use]
    pub fn ring_entries(self, entries: u32) -> Self {
        Self {
            ring_entries: entries.clamp(1, 32_768).next_power_of_two(),
            ..self
        }
    }

    /// Sets the number of receive buffers that all streams share, 512 by default; rounded up to a power
    /// of two, at most 16,384.
    #[must_use]
    pub fn buffer_count(self, count: u16) -> Self {
        Self {
            buffer_count: count.clamp(1, 16_384).next_power_of_two(),
            ..self
        }
    }

    /// Sets the length of one receive buffer in bytes, 16 KiB by default.
    ///
    /// Memory that is never received into stays untouched and costs address space only.
    #[must_use]
    pub fn buffer_len_bytes(self, len: u32) -> Self {
        Self {
            buffer_len_bytes: len.clamp(64, 1 << 24),
            ..self
        }
    }

    /// Sets how many direct descriptors there can be, 256 by default.
    ///
    /// The table is made with the first one, at eight bytes a slot. It may not be larger than the
    /// limit on open files.
    #[must_use]
    pub fn direct_descriptors(self, slots: u32) -> Self {
        Self {
            direct_descriptors: slots.clamp(1, 1 << 20),
            ..self
        }
    }

    /// Sets how long a shutdown waits for streams that were dropped with bytes left to send, one
    /// second by default.
    #[must_use]
    pub fn linger(self, linger: Duration) -> Self {
        Self { linger, ..self }
    }

    /// Sets how long a shutdown waits for cancelled operations to end, five seconds by default.
    ///
    /// Past it, the memory of what has not ended is leaked, because the kernel may still write it.
    #[must_use]
    pub fn drain(self, drain: Duration) -> Self {
        Self { drain, ..self }
    }
}

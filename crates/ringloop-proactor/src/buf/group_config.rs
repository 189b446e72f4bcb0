//! What a group of provided buffers is made with.

/// The number and length of the buffers of a [`BufGroup`](super::BufGroup).
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{BufGroupConfig, Config, Proactor};
///
/// let proactor = Proactor::new(&Config::default())?;
/// let config = BufGroupConfig::default().count(8).count_max(64).len_bytes(2048);
/// let group = proactor.handle().provide(&config)?;
/// assert_eq!(group.stats().provided, 8);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BufGroupConfig {
    pub(super) count: u16,
    pub(super) count_max: Option<u16>,
    pub(super) len_bytes: u32,
    pub(super) incremental: bool,
}

impl Default for BufGroupConfig {
    fn default() -> Self {
        Self {
            count: 64,
            count_max: None,
            len_bytes: 4096,
            incremental: false,
        }
    }
}

impl BufGroupConfig {
    /// Sets the number of buffers to begin with, 64 by default, at most 32,768.
    #[must_use]
    pub fn count(self, count: u16) -> Self {
        Self {
            count: count.clamp(1, COUNT_MAX),
            ..self
        }
    }

    /// Sets the number to which the group grows when the kernel finds it empty, at most 32,768. By
    /// default it does not grow.
    ///
    /// Address space is taken for all of them, memory only as they are filled.
    #[must_use]
    pub fn count_max(self, count: u16) -> Self {
        Self {
            count_max: Some(count.clamp(1, COUNT_MAX)),
            ..self
        }
    }

    /// Sets the length of one buffer in bytes, 4 KiB by default.
    #[must_use]
    pub fn len_bytes(self, len: u32) -> Self {
        Self {
            len_bytes: len.clamp(1, 1 << 30),
            ..self
        }
    }

    /// Lets the kernel fill one buffer with the bytes of many completions, one behind the other
    /// (`IOU_PBUF_RING_INC`).
    ///
    /// Fewer and larger buffers do then, and small messages waste none of them; a chunk that is
    /// held for long keeps its whole buffer. Since Linux 6.12; before that, each completion gets
    /// a buffer of its own, and [`BufGroup::is_incremental`](super::BufGroup::is_incremental) says
    /// so.
    #[must_use]
    pub fn incremental(self) -> Self {
        Self {
            incremental: true,
            ..self
        }
    }
}

/// What the kernel takes into one ring.
const COUNT_MAX: u16 = 1 << 15;

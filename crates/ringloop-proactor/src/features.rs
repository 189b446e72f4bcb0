//! What the ring of a proactor has, as plain data.

/// What the kernel gave a [`Proactor`](crate::Proactor): sizes, and flags of its ring.
///
/// What is newer than Linux 6.1 is used where the kernel has it, and left out where it has not.
///
/// # Examples
///
/// ```
/// use ringloop_proactor::{Config, Proactor};
///
/// let proactor = Proactor::new(&Config::default().ring_entries(64).completion_entries(1024))?;
/// let features = proactor.features();
/// assert!(features.submission_entries <= 64); // Fewer if memory is short.
/// assert!(features.completion_entries >= features.submission_entries);
/// # Ok::<(), ringloop_proactor::SetupError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Features {
    /// How many entries the submission queue has.
    pub submission_entries: u32,
    /// How many entries the completion queue has.
    pub completion_entries: u32,
    /// The ring has one of the 16 places in its thread's table, which makes every
    /// `io_uring_enter(2)` cheaper.
    pub registered_ring: bool,
    /// The submission queue has no array of indexes beside it: Linux 6.6.
    pub no_sqarray: bool,
    /// A sleeping loop counts as idle, not as waiting for a disk: Linux 6.15.
    pub no_iowait: bool,
    /// A thread of the kernel submits: [`Config::kernel_polling`](crate::Config::kernel_polling).
    pub kernel_polling: bool,
    /// Devices are polled: [`Config::device_polling`](crate::Config::device_polling).
    pub device_polling: bool,
}

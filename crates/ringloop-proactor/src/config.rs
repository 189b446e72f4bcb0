//! What a proactor is made with.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use crate::handle::Handle;

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
    completion_entries: Option<u32>,
    pub(crate) register_ring: bool,
    pub(crate) bounded_workers: u32,
    pub(crate) unbounded_workers: u32,
    pub(crate) kernel_polling: Option<KernelPolling>,
    pub(crate) workers_of: Option<Arc<OwnedFd>>,
    pub(crate) device_polling: bool,
    pub(crate) network_only: bool,
    pub(crate) spin: Duration,
    pub(crate) buffer_count: u16,
    pub(crate) buffer_len_bytes: u32,
    pub(crate) direct_descriptors: u32,
    pub(crate) linger: Duration,
    pub(crate) drain: Duration,
}

/// A thread of the kernel that submits.
#[derive(Clone, Debug)]
pub(crate) struct KernelPolling {
    pub(crate) idle_ms: u32,
    pub(crate) cpu: Option<u32>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ring_entries: 256,
            completion_entries: None,
            register_ring: true,
            bounded_workers: 64,
            unbounded_workers: 512,
            kernel_polling: None,
            workers_of: None,
            device_polling: false,
            network_only: false,
            spin: Duration::ZERO,
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
    /// Rings count against the user's locked-memory limit, so small is good; a full queue is an extra
    /// `io_uring_enter(2)`, never an error. If memory is short, a smaller ring is made, down to 32
    /// entries.
    #[must_use]
    pub fn ring_entries(self, entries: u32) -> Self {
        Self {
            ring_entries: entries.clamp(1, 32_768).next_power_of_two(),
            ..self
        }
    }

    /// Sets the number of completion entries, four times [`ring_entries`](Self::ring_entries) by
    /// default; rounded up to a power of two, and never fewer than those.
    ///
    /// One entry takes 16 bytes of locked memory. What does not fit waits in the kernel and is not
    /// lost, but it is an allocation each there, and it ends the multishot operations that it hits:
    /// they are started again. So a program with thousands of busy connections asks for more.
    #[must_use]
    pub fn completion_entries(self, entries: u32) -> Self {
        Self {
            completion_entries: Some(entries.clamp(1, 65_536).next_power_of_two()),
            ..self
        }
    }

    /// Sets whether the ring gets one of the 16 places in its thread's table, which it does by
    /// default.
    ///
    /// A place makes every `io_uring_enter(2)` cheaper, by 50 ns or so. A full table is no error; a
    /// thread with many rings leaves the places to the busy ones.
    #[must_use]
    #[doc(alias = "io_uring_register_ring_fd")]
    pub fn register_ring(self, register: bool) -> Self {
        Self {
            register_ring: register,
            ..self
        }
    }

    /// Sets how many threads of the kernel may do work that always ends, 64 by default, at least one.
    ///
    /// Those are reads and writes of regular files, syncs, and operations on paths. The limit
    /// belongs to the thread that submits: of several rings on one thread, the last one made sets
    /// it. Where all workers are stuck, say in a file system on a dead network, such work waits.
    #[must_use]
    #[doc(alias = "io_uring_register_iowq_max_workers")]
    pub fn bounded_workers(self, count: u32) -> Self {
        Self {
            bounded_workers: count.max(1),
            ..self
        }
    }

    /// Sets how many threads of the kernel may do work that may never end, 512 by default, at least
    /// one.
    ///
    /// Those are operations on terminals and other devices that can only be waited for with a
    /// thread. As for [`bounded_workers`](Self::bounded_workers), the limit belongs to the thread
    /// that submits.
    #[must_use]
    pub fn unbounded_workers(self, count: u32) -> Self {
        Self {
            unbounded_workers: count.max(1),
            ..self
        }
    }

    /// Sets for how long a loop with nothing to do looks at its queue before it sleeps; zero, the
    /// default, is not at all.
    ///
    /// It burns a processor for that long at every sleep, and spares the wake-up if something comes
    /// meanwhile: on one busy connection, half of the round-trip time. The time is exact to a
    /// microsecond or so; 10 to 50 µs are sensible, and none on a machine without a processor to
    /// spare.
    #[must_use]
    pub fn spin(self, spin: Duration) -> Self {
        Self { spin, ..self }
    }

    /// Lets a thread of the kernel take what is submitted, so that submitting makes no system call
    /// (`IORING_SETUP_SQPOLL`).
    ///
    /// The thread looks at the queue all the time, on a processor of its own, and sleeps when nothing
    /// has come for `idle` (in milliseconds, rounded up, at least one); then the next submission makes
    /// one call to wake it. A loop that waits makes a call as ever. It pays where submissions are
    /// steady and a processor is to spare, and it costs dearly everywhere else: leave it off unless
    /// a measurement says otherwise.
    ///
    /// What the kernel needs for work on the loop's own thread is left out, because the two exclude
    /// each other: completions cost more. The thread keeps the identity that the process has when
    /// the proactor is made: a program that drops privileges does so before, never after. The thread
    /// belongs to the proactor and ends with it, unless it is [shared](Self::share_workers_with).
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    /// use std::time::Duration;
    ///
    /// let config = Config::default().kernel_polling(Duration::from_millis(5));
    /// let mut proactor = Proactor::new(&config)?;
    /// assert!(proactor.features().kernel_polling);
    /// let handle = proactor.handle();
    /// proactor.block_on(handle.nop())??;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[doc(alias("SQPOLL", "IORING_SETUP_SQPOLL"))]
    pub fn kernel_polling(self, idle: Duration) -> Self {
        let idle_ms = idle.as_nanos().div_ceil(1_000_000).max(1);
        let cpu = self.kernel_polling.and_then(|polling| polling.cpu);
        Self {
            kernel_polling: Some(KernelPolling {
                idle_ms: u32::try_from(idle_ms).unwrap_or(u32::MAX),
                cpu,
            }),
            ..self
        }
    }

    /// The same, with the thread bound to one processor, counted from zero
    /// (`IORING_SETUP_SQ_AFF`).
    ///
    /// A processor that the process may not use is a [`SetupError`](crate::SetupError) of the kind
    /// [`Options`](crate::SetupErrorKind::Options).
    #[must_use]
    #[doc(alias = "IORING_SETUP_SQ_AFF")]
    pub fn kernel_polling_on(self, idle: Duration, cpu: u32) -> Self {
        let mut config = self.kernel_polling(idle);
        if let Some(polling) = &mut config.kernel_polling {
            polling.cpu = Some(cpu);
        }
        config
    }

    /// Shares the polling thread of another proactor, and the workers that it starts
    /// (`IORING_SETUP_ATTACH_WQ`).
    ///
    /// Both proactors ask for [`kernel_polling`](Self::kernel_polling): then one thread polls for
    /// both, for the longer one of their idle times. Without it there is nothing to share: workers
    /// belong to the thread that submits, so the rings of one thread share them anyway, and those of
    /// two never do. Asking for it there is a [`SetupError`](crate::SetupError) of the kind
    /// [`Options`](crate::SetupErrorKind::Options).
    ///
    /// The thread takes eight entries of each ring in turn. So [chains](crate::Link) of more than
    /// eight operations end with `ECANCELED`, and shorter ones wait until the queue before them is
    /// empty.
    ///
    /// The configuration holds a descriptor of the other ring, whose memory is given back when the
    /// configuration is dropped too.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the other proactor has no polling thread, an error if it has been shut
    /// down, and those of `dup(2)`.
    #[doc(alias = "IORING_SETUP_ATTACH_WQ")]
    pub fn share_workers_with(self, other: &Handle) -> io::Result<Self> {
        let ring = other.shared().ring_fd()?;
        Ok(Self {
            workers_of: Some(Arc::new(ring)),
            ..self
        })
    }

    /// Makes a ring for devices that are polled instead of interrupting (`IORING_SETUP_IOPOLL`).
    ///
    /// Such a ring takes reads and writes of files opened with `O_DIRECT`, on a device with polling
    /// queues, as NVMe drives have if their driver is told to. Everything else ends with `EINVAL` or
    /// `EOPNOTSUPP`: it is a second ring beside an ordinary one. Descriptors in its care are
    /// closed with `close(2)`, and neither acceptors, receivers, senders nor inboxes work on it.
    /// Nothing can be cancelled; it ends by itself.
    ///
    /// While anything is in flight the loop burns its processor: it polls the device and looks at
    /// wakes and its deadline in turn. With nothing in flight it sleeps.
    ///
    /// With [`kernel_polling`](Self::kernel_polling) it is a [`SetupError`](crate::SetupError) of the
    /// kind [`Options`](crate::SetupErrorKind::Options).
    #[must_use]
    #[doc(alias("IOPOLL", "IORING_SETUP_IOPOLL"))]
    pub fn device_polling(self, polling: bool) -> Self {
        Self {
            device_polling: polling,
            ..self
        }
    }

    /// Lets the ring do no more than a program needs that talks to others: operations on sockets, on
    /// descriptors that it has, and on time. Whatever would open, make, rename, remove or describe a
    /// file by its path, or command a driver, ends with `EACCES`.
    ///
    /// The kernel refuses, so nothing that goes wrong in the process changes it. It is worth
    /// something together with a seccomp filter that lets the process make no other ring: a filter
    /// sees that a ring is entered, and not what was submitted. The simulated ring has no
    /// restrictions.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor};
    ///
    /// let mut proactor = Proactor::new(&Config::default().network_only(true))?;
    /// let handle = proactor.handle();
    /// proactor.block_on(handle.nop())??;
    /// let open = handle.open("/etc/hostname", libc::O_RDONLY, 0)?;
    /// let error = proactor.block_on(open)?.unwrap_err();
    /// assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[doc(alias("io_uring_register_restrictions", "IORING_REGISTER_RESTRICTIONS"))]
    pub fn network_only(self, network_only: bool) -> Self {
        Self {
            network_only,
            ..self
        }
    }

    /// How many completion entries to ask for.
    pub(crate) fn completion_count(&self) -> u32 {
        self.completion_entries
            .unwrap_or(self.ring_entries * COMPLETIONS_PER_SUBMISSION)
            .max(self.ring_entries)
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

/// Multishot operations answer more often than they are asked.
const COMPLETIONS_PER_SUBMISSION: u32 = 4;

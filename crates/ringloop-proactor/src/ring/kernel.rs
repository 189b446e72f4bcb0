//! The ring of the kernel: the two queues, submission, waiting.
//!
//! The mapping of the queues is the `io-uring` crate's. The call to `io_uring_enter(2)` is ours,
//! in `enter`; `setup` makes the ring, and `registered` gives it its place in the thread's table.
//! These files are the only ones that talk to io_uring.
//!
//! On an ordinary ring this thread does the submitting, and completions come into the queue only
//! inside of its calls. With kernel polling a thread of the kernel submits, and completions come
//! at any time; a call is made to wake that thread, to wait, or when its queue is full.
//!
//! # Invariants
//!
//! - **K1** An [`Sqe`] and the crate's entry are both the kernel's 64-byte `io_uring_sqe`.
//! - **K2** Whoever pushes an entry keeps the memory it names valid until its last completion
//!   (the op table does, see its invariants).
//! - **K3** The ring lives on the thread that made it: it holds a raw descriptor index of that
//!   thread and is neither `Send` nor `Sync` by way of the proactor's `Rc`.
//! - **K4** The queues are mapped in the process that made them and in none of its children. Whoever
//!   touches them has asked [`is_inherited`](ForkMark::is_inherited) first. What makes a call and
//!   touches no queue may be asked in a child: the kernel refuses it there, because it serves one
//!   thread only.

#![expect(unsafe_code, reason = "queues shared with the kernel")]

use std::fmt;
use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr;
use std::time::Duration;

use io_uring::{IoUring, squeue};

use super::enter::{self, Door};
use super::fork_mark::ForkMark;
use super::opcodes::Opcodes;
use super::shortage::Shortage;
use super::{Cqe, Sqe, explain, explain_page, registered, restriction, setup};
use crate::config::Config;
use crate::features::Features;
use crate::setup_error::SetupError;

/// A kernel io_uring with the flags that the proactor is built on.
pub(crate) struct KernelRing {
    /// Closed by the drop, which does not unmap queues that it has inherited (K4).
    ring: ManuallyDrop<IoUring>,
    door: Door,
    mark: ForkMark,
    features: Features,
    shortage: Shortage,
    /// What the kernel can do, once somebody has asked.
    opcodes: Option<Opcodes>,
    /// The polling thread serves other rings too, and takes no more than [`SHARE`] of each in turn.
    shares_thread: bool,
}

/// Enters the ring with nothing to do. What passes says that there is a way in, and is for those to
/// see to who wait.
fn try_door(door: &Door) -> io::Result<()> {
    match i32::try_from(-door.enter(0, 0, None)) {
        Ok(libc::EINTR | libc::EAGAIN | libc::EBUSY | libc::ENOMEM) => Ok(()),
        Ok(errno @ 1..) => Err(io::Error::from_raw_os_error(errno)),
        Ok(_) | Err(_) => Ok(()),
    }
}

impl KernelRing {
    pub(crate) fn new(config: &Config) -> Result<Self, SetupError> {
        let mark = ForkMark::new().map_err(explain_page)?;
        let setup::Made { ring, no_sqarray } = setup::make(config)?;
        let mut door = Door {
            fd: ring.as_raw_fd(),
            flags: enter::GETEVENTS,
        };
        if ring.params().is_feature_no_iowait() {
            door.flags |= enter::NO_IOWAIT;
        }
        if config.network_only {
            restriction::enable_for_network(&ring.submitter())
                .map_err(|error| explain(error, config.ring_entries))?;
        }
        // A sandbox may allow to make a ring and forbid to use it.
        try_door(&door).map_err(|error| explain(error, config.ring_entries))?;
        // Worker limits belong to the thread and cannot un-stick blocked workers later, so they
        // are set at the start. Where they cannot be, the kernel's own limits hold.
        let mut limits = [config.bounded_workers, config.unbounded_workers];
        drop(ring.submitter().register_iowq_max_workers(&mut limits));
        if config.register_ring
            && let Some(index) = registered::register(ring.as_raw_fd())
        {
            door.fd = index;
            door.flags |= enter::REGISTERED_RING;
        }
        let features = Features {
            submission_entries: ring.params().sq_entries(),
            completion_entries: ring.params().cq_entries(),
            registered_ring: door.flags & enter::REGISTERED_RING != 0,
            no_sqarray,
            no_iowait: door.flags & enter::NO_IOWAIT != 0,
            kernel_polling: config.kernel_polling.is_some(),
            device_polling: config.device_polling,
        };
        Ok(Self {
            ring: ManuallyDrop::new(ring),
            door,
            mark,
            features,
            shortage: Shortage::default(),
            opcodes: None,
            shares_thread: config.workers_of.is_some(),
        })
    }

    pub(crate) fn features(&self) -> Features {
        self.features
    }

    pub(crate) fn mark(&self) -> ForkMark {
        self.mark
    }

    #[inline]
    pub(crate) fn push(&mut self, sqe: &Sqe) -> bool {
        let mut queue = self.ring.submission();
        // SAFETY: K2.
        unsafe { queue.push(entry(sqe)) }.is_ok()
    }

    pub(crate) fn push_chain(&mut self, sqes: &[Sqe]) -> bool {
        let entries: Vec<squeue::Entry> = sqes.iter().map(|sqe| entry(sqe).clone()).collect();
        let mut queue = self.ring.submission();
        // A share ends a chain, wherever that is; behind nothing else, the chain is in one share.
        if self.shares_thread && !queue.is_empty() {
            return false;
        }
        // SAFETY: K2.
        unsafe { queue.push_multiple(&entries) }.is_ok()
    }

    /// How long a chain can be.
    pub(crate) fn capacity(&self) -> usize {
        let entries = self.ring.params().sq_entries() as usize;
        if self.shares_thread {
            entries.min(SHARE)
        } else {
            entries
        }
    }

    pub(crate) fn has_overflowed(&self) -> bool {
        // SAFETY: K3, no other submission queue handle is alive: each one ends with its statement.
        let queue = unsafe { self.ring.submission_shared() };
        queue.cq_overflow()
    }

    pub(crate) fn register_direct_table(&mut self, slots: u32) -> io::Result<()> {
        self.ring.submitter().register_files_sparse(slots)
    }

    pub(crate) fn empty_slot(&mut self, slot: u32) -> io::Result<()> {
        let submitter = self.ring.submitter();
        submitter.register_files_update(slot, &[EMPTY]).map(drop)
    }

    pub(crate) fn empty_slots(&mut self, count: u32) -> io::Result<()> {
        let submitter = self.ring.submitter();
        let empty = vec![EMPTY; count as usize];
        submitter.register_files_update(0, &empty).map(drop)
    }

    /// A descriptor for another ring that is going to share the polling thread.
    pub(crate) fn share_thread(&mut self) -> io::Result<OwnedFd> {
        self.shares_thread = true;
        self.address()
    }

    pub(crate) fn address(&self) -> io::Result<OwnedFd> {
        // SAFETY: K3, the ring is open as long as `self` is borrowed.
        let ring = unsafe { BorrowedFd::borrow_raw(self.ring.as_raw_fd()) };
        ring.try_clone_to_owned()
    }

    #[inline]
    pub(crate) fn enter(&mut self, want: u32, timeout: Option<Duration>) -> io::Result<()> {
        if self.features.kernel_polling {
            self.enter_polled(want, timeout)
        } else {
            self.enter_plain(want, timeout)
        }
    }

    #[inline]
    pub(crate) fn enter_plain(&mut self, want: u32, timeout: Option<Duration>) -> io::Result<()> {
        debug_assert!(
            !self.features.kernel_polling,
            "the thread may have to be woken"
        );
        let queued = u32::try_from(self.ring.submission().len()).unwrap_or(u32::MAX);
        let result = self.door.enter(queued, want, timeout);
        if result >= 0 {
            self.shortage.end();
            return Ok(());
        }
        self.shortage.judge(result.wrapping_neg())
    }

    /// The same with a polling thread, which submits: it is woken if it sleeps although something
    /// is queued, and waited for if the queue is full.
    #[cold]
    fn enter_polled(&mut self, want: u32, timeout: Option<Duration>) -> io::Result<()> {
        let queue = self.ring.submission();
        let mut door = self.door;
        if !queue.is_empty() && queue.need_wakeup() {
            door.flags |= enter::SQ_WAKEUP;
        }
        if queue.is_full() {
            door.flags |= enter::SQ_WAIT;
        }
        drop(queue);
        let result = door.enter(0, want, timeout);
        if result >= 0 {
            self.shortage.end();
            return Ok(());
        }
        self.shortage.judge(result.wrapping_neg())
    }

    #[inline]
    pub(crate) fn completions(&mut self) -> impl Iterator<Item = Cqe> + '_ {
        self.ring.completion().map(|entry| Cqe {
            user_data: entry.user_data(),
            res: entry.result(),
            flags: entry.flags(),
        })
    }

    #[inline]
    pub(crate) fn has_completions(&mut self) -> bool {
        !self.ring.completion().is_empty()
    }

    /// Whether entries are queued that nobody takes without an `enter`.
    #[inline]
    pub(crate) fn has_unsubmitted(&self) -> bool {
        // SAFETY: K3, no other submission queue handle is alive: each one ends with its statement.
        let queue = unsafe { self.ring.submission_shared() };
        !queue.is_empty() && (!self.features.kernel_polling || queue.need_wakeup())
    }

    #[inline]
    pub(crate) fn is_flagged(&mut self) -> bool {
        let queue = self.ring.submission();
        queue.taskrun() || queue.cq_overflow()
    }

    pub(crate) fn supports(&mut self, opcode: u8) -> bool {
        let ring = &self.ring;
        self.opcodes
            .get_or_insert_with(|| Opcodes::ask(&ring.submitter()))
            .has(opcode)
    }

    pub(crate) fn register_buffers(
        &mut self,
        address: usize,
        entries: u16,
        group: u16,
        flags: u16,
    ) -> io::Result<()> {
        let submitter = self.ring.submitter();
        // SAFETY: K2, the buffer pool keeps the memory at `address` until it is unregistered.
        unsafe { submitter.register_buf_ring_with_flags(address as u64, entries, group, flags) }
    }

    pub(crate) fn register_fixed_table(&mut self, count: u32) -> io::Result<()> {
        self.ring.submitter().register_buffers_sparse(count)
    }

    pub(crate) fn update_fixed(
        &mut self,
        index: u16,
        address: usize,
        len: usize,
    ) -> io::Result<()> {
        let memory = [libc::iovec {
            iov_base: ptr::with_exposed_provenance_mut(address),
            iov_len: len,
        }];
        let submitter = self.ring.submitter();
        // SAFETY: K2, the pool's memory is there while an operation uses it; registering pins it
        // and does not touch it.
        unsafe { submitter.register_buffers_update(index.into(), &memory, None) }
    }

    pub(crate) fn unregister_buffers(&mut self, group: u16) -> io::Result<()> {
        self.ring.submitter().unregister_buf_ring(group)
    }
}

impl Drop for KernelRing {
    fn drop(&mut self) {
        if self.mark.is_inherited() {
            // K4: at the addresses of the queues is nothing, or something of the child's. All that
            // this process has of the ring is a descriptor, and closing it ends nothing.
            // SAFETY: the descriptor was the ring's, which is never dropped here.
            drop(unsafe { OwnedFd::from_raw_fd(self.ring.as_raw_fd()) });
            return;
        }
        if self.features.registered_ring {
            // The index keeps the ring alive until the thread ends.
            registered::unregister(self.ring.as_raw_fd(), self.door.fd);
        }
        // SAFETY: the ring is not used after this.
        unsafe { ManuallyDrop::drop(&mut self.ring) };
    }
}

impl fmt::Debug for KernelRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KernelRing")
            .field("fd", &self.ring.as_raw_fd())
            .field("features", &self.features)
            .finish_non_exhaustive()
    }
}

#[inline]
fn entry(sqe: &Sqe) -> &squeue::Entry {
    let entry = ptr::from_ref(sqe).cast::<squeue::Entry>();
    // SAFETY: K1, the two types have the same layout and every bit pattern is valid for both.
    unsafe { &*entry }
}

/// `IORING_SQPOLL_CAP_ENTRIES_VALUE` in the kernel.
const SHARE: usize = 8;
/// In place of a descriptor: the slot is emptied.
const EMPTY: i32 = -1;

const _: () = assert!(size_of::<squeue::Entry>() == size_of::<Sqe>(), "K1");
const _: () = assert!(align_of::<squeue::Entry>() <= align_of::<Sqe>(), "K1");

//! The ring of the kernel: setup, the two queues, `enter`. The only file that talks to io_uring.
//!
//! The mapping of the queues is the `io-uring` crate's. The call to `io_uring_enter(2)` is ours,
//! inlined, because it is the one call that every turn of the loop makes.
//!
//! # Invariants
//!
//! - **K1** An [`Sqe`] and the crate's entry are both the kernel's 64-byte `io_uring_sqe`.
//! - **K2** Whoever pushes an entry keeps the memory it names valid until its last completion
//!   (the op table does, see its invariants).
//! - **K3** The ring lives on the thread that made it: it holds a raw descriptor index of that
//!   thread and is neither `Send` nor `Sync` by way of the proactor's `Rc`.

#![expect(
    unsafe_code,
    reason = "system calls, and queues shared with the kernel"
)]

use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use io_uring::{IoUring, squeue};

use super::opcodes::Opcodes;
use super::{Cqe, Sqe, explain};
use crate::config::Config;
use crate::setup_error::SetupError;

/// A kernel io_uring with the flags that the proactor is built on.
pub(crate) struct KernelRing {
    ring: IoUring,
    /// The registered index if `enter_flags` has `ENTER_REGISTERED_RING`, else the descriptor.
    enter_fd: i32,
    enter_flags: u32,
    /// How often in a row the kernel said that it was out of memory for the moment.
    stalls: u32,
    /// What the kernel can do, once somebody has asked.
    opcodes: Option<Opcodes>,
}

impl KernelRing {
    pub(crate) fn new(config: &Config) -> Result<Self, SetupError> {
        let ring = build_largest(config.ring_entries)?;
        let mut enter_flags = ENTER_GETEVENTS;
        if ring.params().is_feature_no_iowait() {
            enter_flags |= ENTER_NO_IOWAIT;
        }
        // Worker limits belong to the thread and cannot un-stick blocked workers later, so they
        // are set at the start. Where they cannot be, the kernel's own limits hold.
        let mut limits = [WORKERS_BOUNDED_MAX, WORKERS_UNBOUNDED_MAX];
        drop(ring.submitter().register_iowq_max_workers(&mut limits));
        let (enter_fd, enter_flags) = match register_ring_fd(ring.as_raw_fd()) {
            Some(index) => (index, enter_flags | ENTER_REGISTERED_RING),
            None => (ring.as_raw_fd(), enter_flags),
        };
        Ok(Self {
            ring,
            enter_fd,
            enter_flags,
            stalls: 0,
            opcodes: None,
        })
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
        // SAFETY: K2.
        unsafe { queue.push_multiple(&entries) }.is_ok()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.ring.params().sq_entries() as usize
    }

    pub(crate) fn register_direct_table(&mut self, slots: u32) -> io::Result<()> {
        self.ring.submitter().register_files_sparse(slots)
    }

    pub(crate) fn address(&self) -> io::Result<OwnedFd> {
        // SAFETY: K3, the ring is open as long as `self` is borrowed.
        let ring = unsafe { BorrowedFd::borrow_raw(self.ring.as_raw_fd()) };
        ring.try_clone_to_owned()
    }

    #[inline]
    pub(crate) fn enter(&mut self, want: u32, timeout: Option<Duration>) -> io::Result<()> {
        let queued = u32::try_from(self.ring.submission().len()).unwrap_or(u32::MAX);
        let result = match timeout {
            None => enter(
                self.enter_fd,
                queued,
                want,
                self.enter_flags,
                ptr::null(),
                0,
            ),
            Some(timeout) => {
                let timespec = Timespec::new(timeout);
                let arg = EnterArg {
                    timespec: (&raw const timespec).expose_provenance() as u64,
                    ..EnterArg::NONE
                };
                let flags = self.enter_flags | ENTER_EXT_ARG;
                enter(
                    self.enter_fd,
                    queued,
                    want,
                    flags,
                    &raw const arg,
                    size_of::<EnterArg>(),
                )
            }
        };
        if result >= 0 {
            self.stalls = 0;
            return Ok(());
        }
        self.judge(result.wrapping_neg())
    }

    /// Tells the errors that pass from those that do not.
    #[cold]
    fn judge(&mut self, errno: i64) -> io::Result<()> {
        let errno = i32::try_from(errno).unwrap_or(libc::EINVAL);
        match errno {
            // A signal came, or the time has passed: the caller looks at the queue and its clock.
            libc::EINTR | libc::ETIME => Ok(()),
            // Short of memory, or completions have to be reaped first: the queue is as it was.
            libc::EAGAIN | libc::EBUSY | libc::ENOMEM if self.stalls < STALLS_MAX => {
                self.stalls += 1;
                if self.stalls < STALLS_QUICK {
                    std::thread::yield_now();
                } else {
                    pause(STALL_PAUSE);
                }
                Ok(())
            }
            _ => Err(io::Error::from_raw_os_error(errno)),
        }
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

    #[inline]
    pub(crate) fn has_unsubmitted(&self) -> bool {
        // SAFETY: K3, no other submission queue handle is alive: each one ends with its statement.
        let queue = unsafe { self.ring.submission_shared() };
        !queue.is_empty()
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
        if self.enter_flags & ENTER_REGISTERED_RING != 0 {
            // The index keeps the ring alive until the thread ends.
            unregister_ring_fd(self.ring.as_raw_fd(), self.enter_fd);
        }
    }
}

impl fmt::Debug for KernelRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KernelRing")
            .field("fd", &self.ring.as_raw_fd())
            .finish_non_exhaustive()
    }
}

#[inline]
fn entry(sqe: &Sqe) -> &squeue::Entry {
    let entry = ptr::from_ref(sqe).cast::<squeue::Entry>();
    // SAFETY: K1, the two types have the same layout and every bit pattern is valid for both.
    unsafe { &*entry }
}

/// Makes a ring of `entries`, or of half as many while memory is short.
fn build_largest(entries: u32) -> Result<IoUring, SetupError> {
    let mut entries = entries;
    let mut pause_ms = 1;
    loop {
        match build(entries) {
            Ok(ring) => return Ok(ring),
            Err(error) if error.raw_os_error() == Some(libc::ENOMEM) => {
                if entries > RING_ENTRIES_MIN {
                    entries /= 2;
                } else if pause_ms <= PAUSE_MS_MAX {
                    // The memory of rings that were just dropped is given back late.
                    pause(Duration::from_millis(pause_ms));
                    pause_ms *= 2;
                } else {
                    return Err(explain(error, entries));
                }
            }
            Err(error) => return Err(explain(error, entries)),
        }
    }
}

fn build(entries: u32) -> io::Result<IoUring> {
    let mut builder = IoUring::builder();
    builder
        .setup_clamp()
        .setup_cqsize(entries.saturating_mul(COMPLETIONS_PER_SUBMISSION))
        .setup_submit_all()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_taskrun_flag()
        .dontfork();
    // NO_SQARRAY is 6.6; everything before it is there since 6.1.
    match builder.clone().setup_no_sqarray().build(entries) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => builder.build(entries),
        result => result,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the loop cannot do anything meanwhile"
)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Registers the ring's descriptor with its thread. `None`: the thread's table of 16 is full.
fn register_ring_fd(fd: RawFd) -> Option<i32> {
    let mut update = RingFdUpdate {
        index: u32::MAX,
        reserved: 0,
        fd: fd.unsigned_abs().into(),
    };
    // SAFETY: the kernel reads and writes one update struct, a live local.
    let count = unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            fd,
            REGISTER_RING_FDS,
            &raw mut update,
            1,
        )
    };
    if count == 1 {
        i32::try_from(update.index).ok()
    } else {
        None
    }
}

fn unregister_ring_fd(fd: RawFd, index: i32) {
    let mut update = RingFdUpdate {
        index: index.unsigned_abs(),
        reserved: 0,
        fd: 0,
    };
    // SAFETY: the kernel reads one update struct, a live local.
    unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            fd,
            UNREGISTER_RING_FDS,
            &raw mut update,
            1,
        )
    };
}

/// `io_uring_enter(2)`: returns the count of entries taken, or a negated errno.
#[cfg(target_arch = "x86_64")]
#[inline]
fn enter(fd: i32, submit: u32, want: u32, flags: u32, arg: *const EnterArg, size: usize) -> i64 {
    let result: i64;
    // SAFETY: K2 for the memory that queued entries name; `arg` is null or points to `size` live
    // bytes. The kernel preserves every register but rax, rcx and r11.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") libc::SYS_io_uring_enter => result,
            in("rdi") i64::from(fd),
            in("rsi") u64::from(submit),
            in("rdx") u64::from(want),
            in("r10") u64::from(flags),
            in("r8") arg,
            in("r9") size,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// `io_uring_enter(2)`: returns the count of entries taken, or a negated errno.
#[cfg(not(target_arch = "x86_64"))]
fn enter(fd: i32, submit: u32, want: u32, flags: u32, arg: *const EnterArg, size: usize) -> i64 {
    // SAFETY: K2 for the memory that queued entries name; `arg` is null or points to `size` live
    // bytes.
    let result =
        unsafe { libc::syscall(libc::SYS_io_uring_enter, fd, submit, want, flags, arg, size) };
    if result >= 0 {
        return result.into();
    }
    i64::from(
        -io::Error::last_os_error()
            .raw_os_error()
            .unwrap_or(libc::EINVAL),
    )
}

/// `struct io_uring_getevents_arg`.
#[repr(C)]
struct EnterArg {
    sigmask: u64,
    sigmask_size: u32,
    min_wait_us: u32,
    timespec: u64,
}

impl EnterArg {
    const NONE: Self = Self {
        sigmask: 0,
        sigmask_size: 0,
        min_wait_us: 0,
        timespec: 0,
    };
}

/// `struct __kernel_timespec`.
#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

impl Timespec {
    fn new(duration: Duration) -> Self {
        Self {
            seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: duration.subsec_nanos().into(),
        }
    }
}

/// `struct io_uring_rsrc_update`, as `IORING_REGISTER_RING_FDS` reads it.
#[repr(C)]
struct RingFdUpdate {
    index: u32,
    reserved: u32,
    fd: u64,
}

const ENTER_GETEVENTS: u32 = 1 << 0;
const ENTER_EXT_ARG: u32 = 1 << 3;
const ENTER_REGISTERED_RING: u32 = 1 << 4;
const ENTER_NO_IOWAIT: u32 = 1 << 7;

const REGISTER_RING_FDS: u32 = 20;
const UNREGISTER_RING_FDS: u32 = 21;

/// Multishot operations answer more often than they are asked.
const COMPLETIONS_PER_SUBMISSION: u32 = 4;
const RING_ENTRIES_MIN: u32 = 32;
/// Pauses of 1, 2, 4 … 256 ms: half a second in all.
const PAUSE_MS_MAX: u64 = 256;
/// A shortage is waited out at first by yielding, then by pausing: ten seconds in all.
const STALLS_QUICK: u32 = 100;
const STALLS_MAX: u32 = STALLS_QUICK + 10_000;
const STALL_PAUSE: Duration = Duration::from_millis(1);

/// Workers for what always ends (regular files), and for what may not (pipes, sockets).
const WORKERS_BOUNDED_MAX: u32 = 64;
const WORKERS_UNBOUNDED_MAX: u32 = 512;

const _: () = assert!(size_of::<squeue::Entry>() == size_of::<Sqe>(), "K1");
const _: () = assert!(align_of::<squeue::Entry>() <= align_of::<Sqe>(), "K1");
const _: () = assert!(
    size_of::<EnterArg>() == 24,
    "the kernel's struct has 24 bytes"
);

//! Where a thread runs, and how a child process ends: the calls that std does not have.
//!
//! # Invariants
//!
//! - I1: what a call reads or fills by address is a local variable of the right type and size, and
//!   the kernel keeps no address after the call.
//! - I2: a descriptor is adopted once, from the call that opened it.

#![expect(unsafe_code, reason = "scheduling calls go straight to the kernel")]

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{FromRawFd, OwnedFd};

thread_local! {
    static PINNED_TO: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The two processors of a run: one for what is measured, one for what drives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cores {
    /// Runs the loop or the server.
    pub server: usize,
    /// Runs the load client, the foreign thread, the worker. Equal to `server` on one core.
    pub client: usize,
}

impl Cores {
    /// Picks the first two processors that this process may use.
    ///
    /// # Errors
    ///
    /// As `sched_getaffinity(2)`.
    pub fn pick() -> io::Result<Self> {
        let set = affinity()?;
        let mut allowed = (0..usize::try_from(libc::CPU_SETSIZE).unwrap_or(0)).filter(|&cpu| {
            // SAFETY: `cpu` is below CPU_SETSIZE, the number of bits in the set.
            unsafe { libc::CPU_ISSET(cpu, &set) }
        });
        let server = allowed
            .next()
            .ok_or_else(|| io::Error::other("no processor is allowed"))?;
        let client = allowed.next().unwrap_or(server);
        Ok(Self { server, client })
    }

    /// Tells whether both sides have to share one processor.
    pub fn is_shared(self) -> bool {
        self.server == self.client
    }
}

/// Binds the calling thread to processor `cpu`. Threads that it starts inherit this.
///
/// # Errors
///
/// As `sched_setaffinity(2)`.
pub fn pin(cpu: usize) -> io::Result<()> {
    if !usize::try_from(libc::CPU_SETSIZE).is_ok_and(|limit| cpu < limit) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    let mut set = empty_set();
    // SAFETY: `cpu` is below the number of bits in the set, as was just checked.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    bind(&set)?;
    PINNED_TO.set(Some(cpu));
    Ok(())
}

/// Lets the calling thread, and threads that it starts, run on both processors of `cores`.
///
/// # Errors
///
/// As `sched_setaffinity(2)`.
pub fn spread(cores: Cores) -> io::Result<()> {
    let mut set = empty_set();
    for cpu in [cores.server, cores.client] {
        if !usize::try_from(libc::CPU_SETSIZE).is_ok_and(|limit| cpu < limit) {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        // SAFETY: `cpu` is below the number of bits in the set, as was just checked.
        unsafe { libc::CPU_SET(cpu, &mut set) };
    }
    bind(&set)?;
    PINNED_TO.set(None);
    Ok(())
}

/// Binds the calling thread to `cpu` unless it is bound there already.
///
/// Cheap enough for every job of a worker pool whose threads cannot be reached otherwise. A thread
/// that the kernel refuses to bind stays where it is: the job still measures something.
pub fn pin_once(cpu: usize) {
    if PINNED_TO.get() != Some(cpu) && pin(cpu).is_err() {
        PINNED_TO.set(Some(cpu));
    }
}

/// Gives the calling thread, and all threads and children that it starts, realtime priority.
///
/// # Errors
///
/// As `sched_setscheduler(2)`: `EPERM` without the right to it.
pub fn go_realtime() -> io::Result<()> {
    let priority = libc::sched_param { sched_priority: 1 };
    // SAFETY: I1: the parameters are initialized and live until the call returns.
    if unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const priority) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Asks the kernel to end this process when its parent ends, as `prctl(2)`.
///
/// # Errors
///
/// As `prctl(2)`.
pub fn die_with_parent() -> io::Result<()> {
    // SAFETY: PR_SET_PDEATHSIG takes a signal number and touches no memory.
    if unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Returns the processor time, in seconds, of all children that were waited for.
///
/// # Errors
///
/// As `getrusage(2)`.
pub fn children_cpu_seconds() -> io::Result<f64> {
    let mut usage = MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: I1: the kernel fills the whole structure.
    if unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr()) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the structure is filled.
    let usage = unsafe { usage.assume_init() };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Ok(seconds(usage.ru_utime) + seconds(usage.ru_stime))
}

/// Lets this process, and children that it starts, have `count` files open.
///
/// # Errors
///
/// As `setrlimit(2)`; [`io::ErrorKind::Unsupported`] if it may not have so many.
pub fn allow_files(count: u64) -> io::Result<()> {
    let mut limit = MaybeUninit::<libc::rlimit>::uninit();
    // SAFETY: I1: the kernel fills the whole structure.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, limit.as_mut_ptr()) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the structure is filled.
    let mut limit = unsafe { limit.assume_init() };
    if limit.rlim_cur >= count {
        return Ok(());
    }
    if limit.rlim_max < count {
        let message = format!("the limit of {} open files is too low", limit.rlim_max);
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    limit.rlim_cur = count;
    // SAFETY: I1: the limits are initialized and live until the call returns.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Makes an eventfd: a counter whose `read` blocks while it is zero, as `eventfd(2)`.
///
/// # Errors
///
/// As `eventfd(2)`.
pub fn event_file() -> io::Result<File> {
    // SAFETY: the call takes two integers.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: I2: the call succeeded, so the descriptor is open and ours alone.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    Ok(File::from(fd))
}

fn bind(set: &libc::cpu_set_t) -> io::Result<()> {
    // SAFETY: I1: the set is initialized and its true size is given.
    let result = unsafe { libc::sched_setaffinity(0, size_of_val(set), set) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn affinity() -> io::Result<libc::cpu_set_t> {
    let mut set = empty_set();
    // SAFETY: I1: the set is writable and its true size is given.
    let result = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(set)
}

fn empty_set() -> libc::cpu_set_t {
    // SAFETY: the set is a plain array of integers, for which all zeros means "empty".
    unsafe { mem::zeroed() }
}

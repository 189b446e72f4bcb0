//! Signals, as futures. Counterpart: `loop.add_signal_handler`.
//!
//! A handler, installed at the first use, writes to an eventfd of each waiter; the ring polls it.
//!
//! # Invariants
//!
//! - **S1** The handler calls only what `signal-safety(7)` allows: atomic loads and `write(2)`.
//! - **S2** The eventfds in the table are never closed, only used again: a handler that runs late,
//!   on another thread, writes to an eventfd and to nothing else. Waiters poll duplicates.

#![expect(
    unsafe_code,
    reason = "signal handlers and eventfds have no wrappers in std"
)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use ringloop_proactor::Fd;

use crate::cancellable::Cancellable;
use crate::context;

/// Waits for the next ctrl-c (`SIGINT`). Counterpart: `loop.add_signal_handler`.
///
/// From the first call on, ctrl-c no longer ends the process by itself.
///
/// # Errors
///
/// As `sigaction(2)` and `eventfd(2)`; `ResourceBusy` if 64 tasks wait already; a cancelled scope.
///
/// # Panics
///
/// Outside of a runtime.
///
/// # Cancel safety
///
/// Cancel safe: dropped or cancelled before it completes, it had no effect. A signal that comes
/// while nobody waits is lost; make one [`CtrlC`] and keep it to miss none.
///
/// # Examples
///
/// ```no_run
/// # ringloop::run(async {
/// ringloop::signal::ctrl_c().await?;
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[doc(alias("add_signal_handler", "SIGINT"))]
pub async fn ctrl_c() -> io::Result<()> {
    CtrlC::new()?.wait().await
}

/// The ctrl-c's (`SIGINT`) that come while it exists. Counterpart: `loop.add_signal_handler`.
///
/// # Examples
///
/// ```no_run
/// # ringloop::run(async {
/// let mut ctrl_c = ringloop::signal::CtrlC::new()?;
/// ctrl_c.wait().await?;
/// println!("once more to end the program at once");
/// # Ok::<(), std::io::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct CtrlC {
    fd: Fd,
    _seated: Seated,
}

impl CtrlC {
    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// As [`ctrl_c`].
    ///
    /// # Panics
    ///
    /// Outside of a runtime.
    #[track_caller]
    pub fn new() -> io::Result<Self> {
        install()?;
        // Ordering: Acquire pairs with the Release of the waiter that left the seat.
        let take = |seat: &&Seat| !seat.is_taken.swap(true, Ordering::Acquire);
        let Some(seat) = SEATS.iter().find(take) else {
            return Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "64 tasks wait for ctrl-c already: share one CtrlC",
            ));
        };
        let seated = Seated { seat };
        let fd = context::current().proactor.adopt(seat.open()?);
        // What an earlier waiter was told and did not take.
        drain(&fd);
        Ok(Self {
            fd,
            _seated: seated,
        })
    }

    /// Waits for the next one. Several that came since the last wait count as one.
    ///
    /// # Errors
    ///
    /// A cancelled scope.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropped or cancelled before it completes, it had no effect.
    pub async fn wait(&mut self) -> io::Result<()> {
        let readable = self.fd.handle().poll(&self.fd, POLLIN);
        Cancellable::new(readable).await?;
        drain(&self.fd);
        Ok(())
    }
}

/// One place in the table of those who wait.
#[derive(Debug)]
struct Seat {
    eventfd: AtomicI32,
    is_taken: AtomicBool,
}

impl Seat {
    /// A duplicate of the seat's eventfd, which is made at the first use.
    fn open(&self) -> io::Result<OwnedFd> {
        // Ordering: Relaxed, `is_taken` orders one user of the seat before the next.
        let mut raw = self.eventfd.load(Ordering::Relaxed);
        if raw == NOBODY {
            raw = eventfd()?.into_raw_fd();
            // Ordering: Release publishes the open descriptor to the handler's Acquire.
            self.eventfd.store(raw, Ordering::Release);
        }
        // SAFETY: S2, it is open and stays open.
        unsafe { BorrowedFd::borrow_raw(raw) }.try_clone_to_owned()
    }
}

/// Leaves the seat when dropped.
#[derive(Debug)]
struct Seated {
    seat: &'static Seat,
}

impl Drop for Seated {
    fn drop(&mut self) {
        // Ordering: Release pairs with the Acquire of the next waiter.
        self.seat.is_taken.store(false, Ordering::Release);
    }
}

/// Sets the count of an eventfd back to zero, without blocking.
fn drain(fd: &Fd) {
    let mut count = 0_u64;
    let number = fd.plain().map_or(-1, |fd| fd.as_raw_fd());
    // SAFETY: eight bytes are written to a live local.
    unsafe { libc::read(number, (&raw mut count).cast(), size_of::<u64>()) };
}

/// Installs the handler, once in the life of the process.
fn install() -> io::Result<()> {
    static INSTALL: Once = Once::new();
    static ERRNO: AtomicI32 = AtomicI32::new(0);
    INSTALL.call_once(|| {
        let action = libc::sigaction {
            sa_sigaction: on_signal as *const () as usize,
            sa_mask: empty_mask(),
            sa_flags: libc::SA_RESTART,
            sa_restorer: None,
        };
        // SAFETY: S1; the action is a live local, and the old one is not asked for.
        if unsafe { libc::sigaction(libc::SIGINT, &raw const action, std::ptr::null_mut()) } != 0 {
            let errno = io::Error::last_os_error()
                .raw_os_error()
                .unwrap_or(libc::EINVAL);
            // Ordering: `Once` orders it before every reader.
            ERRNO.store(errno, Ordering::Relaxed);
        }
    });
    match ERRNO.load(Ordering::Relaxed) {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

extern "C" fn on_signal(_signal: libc::c_int) {
    let one = 1_u64;
    // SAFETY: S1, the location is this thread's own.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: the location is valid as long as the thread.
    let before = unsafe { errno.read() };
    for seat in &SEATS {
        // Ordering: Acquire pairs with the Release that put the descriptor in.
        let fd = seat.eventfd.load(Ordering::Acquire);
        if fd != NOBODY {
            // SAFETY: S1 and S2, eight bytes are read from a live local.
            unsafe { libc::write(fd, (&raw const one).cast(), size_of::<u64>()) };
        }
    }
    // SAFETY: the interrupted code keeps its errno.
    unsafe { errno.write(before) };
}

fn empty_mask() -> libc::sigset_t {
    let mut mask = std::mem::MaybeUninit::uninit();
    // SAFETY: the call fills the mask.
    unsafe { libc::sigemptyset(mask.as_mut_ptr()) };
    // SAFETY: just filled.
    unsafe { mask.assume_init() }
}

fn eventfd() -> io::Result<OwnedFd> {
    // SAFETY: the call takes two integers and touches no memory.
    let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just made this descriptor for us, nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Those who wait, in every runtime of the process.
static SEATS: [Seat; 64] = [const {
    Seat {
        eventfd: AtomicI32::new(NOBODY),
        is_taken: AtomicBool::new(false),
    }
}; 64];
const NOBODY: RawFd = -1;
const POLLIN: u32 = 0x001;

//! `io_uring_enter(2)` without a library in between, through a registered ring descriptor.

use std::io;
use std::os::fd::RawFd;
use std::ptr;
use std::time::Duration;

/// How the ring is entered: by its registered index where there is one, else by descriptor.
#[derive(Debug)]
pub(super) struct Door {
    target: i32,
    flags: u32,
}

impl Door {
    /// Registers the ring's descriptor, or makes do with the descriptor itself.
    pub(super) fn open(fd: RawFd) -> Self {
        let mut update = RingFdUpdate {
            offset: ANY_INDEX,
            reserved: 0,
            data: 0,
        };
        update.data = u64::try_from(fd).unwrap_or(0);
        let registered = register(fd, REGISTER_RING_FDS, &mut update);
        match i32::try_from(update.offset) {
            Ok(index) if registered => Self {
                target: index,
                flags: ENTER_REGISTERED_RING,
            },
            _ => Self {
                target: fd,
                flags: 0,
            },
        }
    }

    /// Takes the registration back, which would otherwise keep the ring alive.
    pub(super) fn close(&self, fd: RawFd) {
        if self.flags & ENTER_REGISTERED_RING != 0 {
            let offset = u32::try_from(self.target).unwrap_or(ANY_INDEX);
            let mut update = RingFdUpdate {
                offset,
                reserved: 0,
                data: 0,
            };
            register(fd, UNREGISTER_RING_FDS, &mut update);
        }
    }

    /// Submits `count` entries, waits for `want` completions, and runs deferred work.
    ///
    /// Interruptions, an elapsed timeout and a full completion queue are not errors: the caller
    /// reads what there is and comes again.
    #[inline]
    pub(super) fn pass(&self, count: u32, want: u32, timeout: Option<Duration>) -> io::Result<()> {
        let flags = self.flags | ENTER_GETEVENTS;
        let result = match timeout {
            // SAFETY: without EXT_ARG the kernel reads no argument.
            None => unsafe { enter(self.target, count, want, flags, ptr::null(), 0) },
            Some(timeout) => {
                let time = Timespec {
                    seconds: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
                    nanoseconds: i64::from(timeout.subsec_nanos()),
                };
                let arg = WaitArg {
                    time: &raw const time,
                    ..WaitArg::EMPTY
                };
                let size = size_of::<WaitArg>();
                // SAFETY: I2: `arg` and `time` live until the call returns.
                unsafe {
                    enter(
                        self.target,
                        count,
                        want,
                        flags | ENTER_EXT_ARG,
                        &raw const arg,
                        size,
                    )
                }
            }
        };
        match i32::try_from(-result).unwrap_or(0) {
            errno if errno <= 0 => Ok(()),
            libc::EINTR | libc::ETIME | libc::EBUSY | libc::EAGAIN => Ok(()),
            errno => Err(io::Error::from_raw_os_error(errno)),
        }
    }
}

/// `struct io_uring_rsrc_update`.
#[repr(C)]
struct RingFdUpdate {
    offset: u32,
    reserved: u32,
    data: u64,
}

/// `struct __kernel_timespec`.
#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

/// `struct io_uring_getevents_arg`.
#[repr(C)]
struct WaitArg {
    signals: u64,
    signals_len: u32,
    min_wait_us: u32,
    time: *const Timespec,
}

impl WaitArg {
    const EMPTY: Self = Self {
        signals: 0,
        signals_len: 0,
        min_wait_us: 0,
        time: ptr::null(),
    };
}

fn register(fd: RawFd, opcode: u32, update: &mut RingFdUpdate) -> bool {
    // SAFETY: both opcodes used here read and write exactly one `io_uring_rsrc_update`.
    let result = unsafe {
        libc::syscall(
            libc::SYS_io_uring_register,
            fd,
            opcode,
            ptr::from_mut(update),
            1_u32,
        )
    };
    result == 1
}

/// Enters the kernel; the result is negative errno or the number of entries taken.
///
/// # Safety
///
/// With EXT_ARG, `arg` points to a live argument of `size` bytes.
#[cfg(target_arch = "x86_64")]
#[inline]
unsafe fn enter(
    target: i32,
    count: u32,
    want: u32,
    flags: u32,
    arg: *const WaitArg,
    size: usize,
) -> i64 {
    let result;
    // SAFETY: the registers are those of the kernel's calling convention; what the call reads by
    // address is promised by the caller.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") libc::SYS_io_uring_enter => result,
            in("edi") target,
            in("esi") count,
            in("edx") want,
            in("r10d") flags,
            in("r8") arg,
            in("r9") size,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// Enters the kernel; the result is negative errno or the number of entries taken.
///
/// # Safety
///
/// With EXT_ARG, `arg` points to a live argument of `size` bytes.
#[cfg(not(target_arch = "x86_64"))]
unsafe fn enter(
    target: i32,
    count: u32,
    want: u32,
    flags: u32,
    arg: *const WaitArg,
    size: usize,
) -> i64 {
    let number = libc::SYS_io_uring_enter;
    // SAFETY: what the call reads by address is promised by the caller.
    let result = unsafe { libc::syscall(number, target, count, want, flags, arg, size) };
    if result < 0 {
        return -i64::from(
            io::Error::last_os_error()
                .raw_os_error()
                .unwrap_or(libc::EIO),
        );
    }
    i64::from(result)
}

const ENTER_GETEVENTS: u32 = 1;
const ENTER_EXT_ARG: u32 = 1 << 3;
const ENTER_REGISTERED_RING: u32 = 1 << 4;
const REGISTER_RING_FDS: u32 = 20;
const UNREGISTER_RING_FDS: u32 = 21;
const ANY_INDEX: u32 = u32::MAX;

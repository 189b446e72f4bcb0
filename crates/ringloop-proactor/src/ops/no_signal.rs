//! Whether a write can ask the kernel not to raise `SIGPIPE`.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::OnceLock;

/// The flag that keeps a write from raising `SIGPIPE`; zero if the kernel has none.
///
/// Linux 6.18 has it. No call tells, so one write tries it, once per process.
#[inline]
pub(super) fn no_signal() -> u32 {
    match NO_SIGNAL.get() {
        Some(&flag) => flag,
        None => ask(),
    }
}

#[cold]
fn ask() -> u32 {
    // Without a descriptor left there is no answer, and the next write asks again.
    let Ok((_reader, writer)) = io::pipe() else {
        return 0;
    };
    let byte = libc::iovec {
        iov_base: (&raw const BYTE).cast_mut().cast(),
        iov_len: 1,
    };
    // SAFETY: the array and the byte in it outlive the call, which only reads them.
    let written =
        unsafe { libc::pwritev2(writer.as_raw_fd(), &raw const byte, 1, -1, RWF_NOSIGNAL) };
    let flag = if written == 1 { RWF_NOSIGNAL } else { 0 };
    *NO_SIGNAL.get_or_init(|| flag.cast_unsigned())
}

static NO_SIGNAL: OnceLock<u32> = OnceLock::new();
static BYTE: u8 = 0;
/// `RWF_NOSIGNAL` of `pwritev2(2)`.
const RWF_NOSIGNAL: i32 = 0x100;

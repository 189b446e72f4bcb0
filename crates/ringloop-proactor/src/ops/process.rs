//! Waiting for children.

use std::io;
use std::mem;
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::fd::Fd;
use crate::handle::Handle;
use crate::op::{Op, Operation};
use crate::ring::{Cqe, Sqe};

impl Handle {
    /// Waits for a child of this process to change its state: `options` are `WEXITED`, `WSTOPPED`,
    /// `WCONTINUED` and `WNOWAIT`. Counterpart: `waitid(2)`, `io_uring_prep_waitid(3)`.
    ///
    /// A child that has ended is gone once it was waited for, unless `options` have `WNOWAIT`; who
    /// waits for it afterwards, [`std::process::Child::wait`] too, gets `ECHILD`.
    ///
    /// # Errors
    ///
    /// `Unsupported` before Linux 6.7, `InvalidInput` for a direct descriptor and for `WNOHANG`:
    /// cancel the operation instead. The future gives the errors of `waitid(2)`.
    ///
    /// # Cancel safety
    ///
    /// Cancelled, a child that has ended is either reported or can be waited for again. Dropped, the
    /// operation may have taken the status along, as dropping any operation loses its result.
    ///
    /// # Examples
    ///
    /// ```
    /// use ringloop_proactor::{Config, Proactor, ops::WaitTarget};
    /// use std::process::Command;
    ///
    /// let mut proactor = Proactor::new(&Config::default())?;
    /// let child = Command::new("false").spawn()?;
    /// let ended = proactor.handle().waitid(&WaitTarget::Pid(child.id()), libc::WEXITED)?;
    /// let ended = proactor.block_on(ended)??;
    /// assert_eq!((ended.pid, ended.status.code()), (child.id(), Some(1)));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn waitid(&self, target: &WaitTarget, options: i32) -> io::Result<Op<WaitId>> {
        self.require(io_uring::opcode::WaitId::CODE, "waitid", "6.7")?;
        let invalid = |text| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        if options & libc::WNOHANG != 0 {
            return invalid("an operation waits: cancel it instead of passing WNOHANG");
        }
        if matches!(target, WaitTarget::PidFd(fd) if fd.is_direct()) {
            return invalid("waitid takes the number of a pidfd, which a direct descriptor lacks");
        }
        Ok(self.submit(WaitId {
            target: target.clone(),
            options,
            info: SigInfo::default(),
        }))
    }
}

/// Which children [`Handle::waitid`] waits for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WaitTarget {
    /// Any child.
    Any,
    /// The child with this process id.
    Pid(u32),
    /// Any child in this process group; 0 is the caller's own.
    Group(u32),
    /// The child that a plain descriptor of `pidfd_open(2)` refers to.
    PidFd(Fd),
}

/// What became of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waited {
    /// The child's process id.
    pub pid: u32,
    /// The child's real user id.
    pub uid: u32,
    /// How it ended, or which signal stopped it, or that it goes on
    /// ([`ExitStatusExt`]).
    pub status: ExitStatus,
}

/// Waits for a child. Linux 6.7. Counterpart: `io_uring_prep_waitid(3)`.
#[derive(Debug)]
#[doc(alias = "io_uring_prep_waitid")]
pub struct WaitId {
    target: WaitTarget,
    options: i32,
    /// The kernel writes here.
    info: SigInfo,
}

// SAFETY: as the module says; the information is inside the operation, which does not move.
unsafe impl Operation for WaitId {
    type Output = io::Result<Waited>;
    type Leftover = ();
    const NAME: &'static str = "waitid";
    const HAS_FD: bool = false;

    fn prepare(&mut self) -> Sqe {
        let (kind, id) = match &self.target {
            WaitTarget::Any => (libc::P_ALL, 0),
            WaitTarget::Pid(pid) => (libc::P_PID, pid.cast_signed()),
            WaitTarget::Group(group) => (libc::P_PGID, group.cast_signed()),
            // A direct one was refused.
            WaitTarget::PidFd(fd) => (libc::P_PIDFD, fd.plain().map_or(-1, |fd| fd.as_raw_fd())),
        };
        Sqe {
            len: kind,
            offset: (&raw mut self.info).expose_provenance() as u64,
            file_index: self.options.cast_unsigned(),
            ..Sqe::new(io_uring::opcode::WaitId::CODE, id)
        }
    }

    fn complete(self, cqe: Cqe) -> Self::Output {
        cqe.result()?;
        Ok(self.info.waited())
    }

    fn reclaim(self) -> Self::Leftover {}
}

/// `siginfo_t` as `waitid(2)` fills it in.
#[derive(Debug, Default)]
#[repr(C)]
struct SigInfo {
    signal: i32,
    errno: i32,
    code: i32,
    /// What follows has the alignment of a pointer.
    aligned: SigChild,
    rest: [u64; 12],
}

/// The part of `siginfo_t` that tells of a child.
#[derive(Debug, Default)]
#[repr(C)]
#[cfg_attr(target_pointer_width = "64", repr(align(8)))]
struct SigChild {
    pid: i32,
    uid: u32,
    status: i32,
}

impl SigInfo {
    fn waited(&self) -> Waited {
        let status = self.aligned.status;
        Waited {
            pid: self.aligned.pid.cast_unsigned(),
            uid: self.aligned.uid,
            status: ExitStatus::from_raw(wait_status(self.code, status)),
        }
    }
}

/// The status as `waitpid(2)` tells it, which is what std understands.
fn wait_status(code: i32, status: i32) -> i32 {
    match code {
        libc::CLD_EXITED => (status & 0xff) << 8,
        libc::CLD_DUMPED => status | 0x80,
        libc::CLD_STOPPED | libc::CLD_TRAPPED => status << 8 | 0x7f,
        libc::CLD_CONTINUED => 0xffff,
        _ => status,
    }
}

const _: () = assert!(
    size_of::<SigInfo>() >= size_of::<libc::siginfo_t>(),
    "the kernel writes a siginfo_t"
);
const _: () = assert!(
    mem::offset_of!(SigInfo, aligned) == if size_of::<usize>() == 8 { 16 } else { 12 },
    "the kernel's struct has the child's part there"
);

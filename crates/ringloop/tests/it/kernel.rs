//! What the tests ask of the kernel and std has no words for.
//!
//! # Invariants
//!
//! - **K1** What a child process runs between its fork and its exec makes system calls and touches
//!   memory that was there before; it allocates nothing.

#![expect(
    unsafe_code,
    reason = "filters, limits and signals have no wrappers in std"
)]

use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Makes `io_uring_setup(2)` fail with `errno` on this thread and those that it starts, as a
/// container's seccomp profile does.
pub(crate) fn refuse_io_uring(errno: i32) -> io::Result<()> {
    refuse(libc::SYS_io_uring_setup, errno)
}

/// Makes a system call fail with `errno` on this thread and those that it starts.
pub(crate) fn refuse(call: libc::c_long, errno: i32) -> io::Result<()> {
    let filter = refusing(call, errno);
    install(&filter)
}

/// Makes `io_uring_setup(2)` fail with `errno` in the program that `command` starts.
pub(crate) fn refuse_io_uring_in(command: &mut Command, errno: i32) {
    let filter = refusing(libc::SYS_io_uring_setup, errno);
    // SAFETY: K1, the filter was made before the fork.
    unsafe { command.pre_exec(move || install(&filter)) };
}

/// Makes the program that `command` starts die of writing to a closed pipe or socket, which is the
/// kernel's default and not that of Rust programs.
pub(crate) fn die_of_closed_pipes() {
    // SAFETY: this disposition runs no code of ours.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}

/// Lets this process open no more descriptors than it has.
pub(crate) fn open_no_more_descriptors() {
    limit_descriptors(|limit| limit.rlim_cur = 0);
}

/// Lets this process open as many descriptors as the system allows it.
pub(crate) fn open_many_descriptors() {
    limit_descriptors(|limit| limit.rlim_cur = limit.rlim_max);
}

/// Lets this process open so many descriptors, those included that it has.
pub(crate) fn open_at_most_descriptors(count: u64) {
    limit_descriptors(|limit| limit.rlim_cur = count);
}

fn limit_descriptors(set: impl FnOnce(&mut libc::rlimit)) {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the call fills a live local.
    let got = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    set(&mut limit);
    // SAFETY: the call reads a live local.
    let set = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    assert_eq!((got, set), (0, 0));
}

/// Sends ctrl-c's signal to a process.
pub(crate) fn interrupt(process: u32) {
    let process = libc::pid_t::try_from(process).unwrap();
    // SAFETY: the call takes two integers and touches no memory.
    let result = unsafe { libc::kill(process, libc::SIGINT) };
    assert_eq!(result, 0);
}

/// Sends ctrl-c's signal to this thread; its handler has run when the call returns.
pub(crate) fn interrupt_myself() {
    // SAFETY: the call takes an integer and touches no memory.
    let result = unsafe { libc::raise(libc::SIGINT) };
    assert_eq!(result, 0);
}

/// Closes a connection without telling the peer, as a machine does that loses its power. `false`: it
/// takes privileges that this process has not, and the connection is closed as any.
pub(crate) fn vanish(stream: TcpStream) -> bool {
    let repair: libc::c_int = 1;
    // SAFETY: the call reads a live local of the length that it is told.
    let result = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_REPAIR,
            (&raw const repair).cast(),
            4,
        )
    };
    drop(stream);
    result == 0
}

/// A classic BPF program: the system call `number` fails with `errno`, others go through.
fn refusing(number: libc::c_long, errno: i32) -> [libc::sock_filter; 4] {
    let step = |code: u32, jf: u8, k: u32| libc::sock_filter {
        code: u16::try_from(code).unwrap(),
        jt: 0,
        jf,
        k,
    };
    let number = u32::try_from(number).unwrap();
    let refusal = libc::SECCOMP_RET_ERRNO | u32::try_from(errno).unwrap();
    [
        // The number of the call is the first word of `seccomp_data`.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 1, number),
        step(libc::BPF_RET | libc::BPF_K, 0, refusal),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ]
}

/// Counterpart: `seccomp(2)`.
fn install(filter: &[libc::sock_filter]) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(io::Error::other)?,
        filter: filter.as_ptr().cast_mut(),
    };
    // SAFETY: without memory; it is what lets an unprivileged thread install a filter.
    let no_new = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    if no_new != 0 {
        return Err(io::Error::last_os_error());
    }
    let mode = libc::SECCOMP_MODE_FILTER;
    // SAFETY: the kernel copies the program, which lives and is not written through its pointer.
    if unsafe { libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

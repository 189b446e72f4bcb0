//! Calls that the kernel refuses, by seccomp filters in child processes.

#![expect(unsafe_code, reason = "seccomp filters have no wrapper in std")]

use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Config, Proactor};

use crate::rig::{alone, poll_once};

#[test]
fn an_enter_that_fails_in_a_flush_loses_no_operation() {
    if !alone("faults::an_enter_that_fails_in_a_flush_loses_no_operation") {
        return;
    }
    let config = Config::default()
        .ring_entries(2)
        .drain(Duration::from_millis(50));
    let mut proactor = Proactor::new(&config).unwrap();
    let handle = proactor.handle();
    proactor.park(Some(Duration::ZERO)).unwrap();
    refuse_flushes_of_two();
    let mut nops: Vec<_> = (0..3).map(|_| handle.nop()).collect();
    for nop in &mut nops {
        assert!(poll_once(nop).is_pending());
    }
    let error = proactor.park(Some(Duration::ZERO)).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EBADR));
    // Two are in the queue, and the third, which found no room, waits for its turn still.
    let stats = proactor.stats();
    assert_eq!((stats.in_flight, stats.live), (2, 3));
    proactor.shut_down();
    let std::task::Poll::Ready(third) = poll_once(&mut nops[2]) else {
        panic!("it has ended")
    };
    assert_eq!(third.unwrap_err().raw_os_error(), Some(libc::ECANCELED));
}

/// From now on, an `io_uring_enter(2)` that submits two entries and waits for none says EBADR, as
/// it does when completions were dropped.
fn refuse_flushes_of_two() {
    let statement = |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter {
        code: u16::try_from(code).unwrap(),
        jt,
        jf,
        k,
    };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let answer = libc::BPF_RET | libc::BPF_K;
    let enter = u32::try_from(libc::SYS_io_uring_enter).unwrap();
    let errno = libc::EBADR.unsigned_abs();
    let mut filter = [
        statement(load, 0, 0, 0),
        statement(equal, 0, 5, enter),
        // The second argument, the entries to submit.
        statement(load, 0, 0, 24),
        statement(equal, 0, 3, 2),
        // The third argument, the completions to wait for.
        statement(load, 0, 0, 32),
        statement(equal, 0, 1, 0),
        statement(answer, 0, 0, libc::SECCOMP_RET_ERRNO | errno),
        statement(answer, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).unwrap(),
        filter: filter.as_mut_ptr(),
    };
    // SAFETY: the call takes integers.
    let set = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(set, 0);
    // SAFETY: the program and its statements are live locals; the kernel copies them.
    let set = unsafe {
        libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::SECCOMP_MODE_FILTER,
            &raw const program,
        )
    };
    assert_eq!(set, 0);
}

//! Calls that the kernel refuses, by seccomp filters in child processes.

#![expect(unsafe_code, reason = "seccomp filters have no wrapper in std")]

use std::io::Write;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_core::future::join;
use ringloop_proactor::{Config, Proactor, Receiver};

use crate::rig::{alone, alone_under_strace, is_child, poll_once, settle, tcp_pair};

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

#[test]
fn a_sleeping_loop_is_idle_and_does_not_wait_for_a_disk() {
    if !alone("faults::a_sleeping_loop_is_idle_and_does_not_wait_for_a_disk") {
        return;
    }
    let ring = io_uring::IoUring::new(1).unwrap();
    let mut proactor = Proactor::new(&Config::default()).unwrap();
    let is_offered = ring.params().is_feature_no_iowait();
    assert_eq!(proactor.features().no_iowait, is_offered);
    if !is_offered {
        return;
    }
    refuse(libc::SYS_io_uring_enter, &[WAITS, LACKS_NO_IOWAIT]);
    proactor.park(Some(Duration::from_millis(1))).unwrap();
}

#[test]
fn receive_buffers_that_the_kernel_keeps_are_never_freed() {
    if !alone("faults::receive_buffers_that_the_kernel_keeps_are_never_freed") {
        return;
    }
    refuse(libc::SYS_io_uring_register, &[UNREGISTERS_BUFFERS]);
    let before = mapped_bytes();
    for _ in 0..4 {
        receive_into_a_pool_of_16_mib();
    }
    assert!(mapped_bytes() - before >= 64 << 20);
}

#[test]
fn a_shortage_of_memory_is_waited_out() {
    if !alone("faults::a_shortage_of_memory_is_waited_out") {
        return;
    }
    let config = Config::default().drain(Duration::from_millis(20));
    let mut proactor = Proactor::new(&config).unwrap();
    let mut nop = proactor.handle().nop();
    assert!(poll_once(&mut nop).is_pending());
    refuse_with(libc::SYS_io_uring_enter, &[], libc::EAGAIN);
    let before = proactor.now();
    for _ in 0..150 {
        proactor.park(None).unwrap();
    }
    // A hundred times it comes back at once, then it pauses.
    assert!(proactor.now() - before >= Duration::from_millis(50));
    let stats = proactor.stats();
    assert_eq!((stats.in_flight, stats.live), (1, 1), "nothing is lost");
    assert!(poll_once(&mut nop).is_pending());
    assert_eq!(proactor.shut_down(), 1, "it ends all the same");
}

#[test]
fn an_enter_may_fail_at_any_time() {
    const NAME: &str = "faults::an_enter_may_fail_at_any_time";
    if is_child() {
        return all_arrives();
    }
    // From the first, the second, the third call on every third one: each call fails in one run.
    for errno in ["EAGAIN", "EBUSY", "ENOMEM", "EINTR"] {
        for when in ["1+3", "2+3", "3+3"] {
            let inject = format!("inject=io_uring_enter:error={errno}:when={when}");
            let Some(trace) = alone_under_strace(NAME, &inject) else {
                return;
            };
            assert!(trace.contains("(INJECTED)"), "{inject}: {trace}");
        }
    }
}

/// Receives something into the shared buffers of a proactor that is made and dropped here.
fn receive_into_a_pool_of_16_mib() {
    let config = Config::default()
        .buffer_count(64)
        .buffer_len_bytes(256 * 1024);
    let mut proactor = Proactor::new(&config).unwrap();
    let (near, mut far) = tcp_pair();
    far.write_all(b"hello").unwrap();
    let mut receiver = Receiver::new(proactor.handle().adopt(near));
    let mut bytes = [0; 16];
    let count = proactor.block_on(receiver.read(&mut bytes)).unwrap();
    assert_eq!(&bytes[..count.unwrap()], b"hello");
}

/// How much address space this process has.
fn mapped_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = pages.split(' ').next().unwrap().parse().unwrap();
    pages * 4096
}

/// Batches through a tiny ring, and bytes through a pipe.
fn all_arrives() {
    let config = Config::default().ring_entries(2).completion_entries(2);
    let mut proactor = Proactor::new(&config).unwrap();
    let handle = proactor.handle();
    let (reader, writer) = std::io::pipe().unwrap();
    let (reader, writer) = (handle.adopt(reader), handle.adopt(writer));
    for round in 0..20_u8 {
        let mut nops: Vec<_> = (0..7).map(|_| handle.nop()).collect();
        for nop in &mut nops {
            assert!(poll_once(nop).is_pending());
        }
        let read = handle.read(&reader, vec![0; 8], u64::MAX);
        let write = handle.write(&writer, vec![round; 8], u64::MAX);
        let (read, written) = proactor.block_on(join(read, write)).unwrap();
        assert_eq!(written.unwrap().0, 8);
        assert_eq!(read.unwrap(), (8, vec![round; 8]));
        settle(&mut proactor);
        assert!(nops.iter_mut().all(|nop| poll_once(nop).is_ready()));
    }
    drop((reader, writer));
    assert_eq!(proactor.shut_down(), 0);
    assert_eq!(proactor.stats().stale_completions, 0);
}

/// From now on, an `io_uring_enter(2)` that submits two entries and waits for none says EBADR, as
/// it does when completions were dropped.
fn refuse_flushes_of_two() {
    refuse(libc::SYS_io_uring_enter, &[SUBMITS_TWO, WAITS_FOR_NONE]);
}

/// A look at one argument of a system call, which may let the call pass.
struct Check {
    /// Its place, from zero.
    argument: u32,
    /// `BPF_JEQ` or `BPF_JSET`, with `value`.
    comparison: u32,
    value: u32,
    /// The outcome of the comparison that lets the call pass.
    passes_if: bool,
}

const SUBMITS_TWO: Check = Check {
    argument: 1,
    comparison: libc::BPF_JEQ,
    value: 2,
    passes_if: false,
};
const WAITS_FOR_NONE: Check = Check {
    argument: 2,
    value: 0,
    ..SUBMITS_TWO
};
const WAITS: Check = Check {
    passes_if: true,
    ..WAITS_FOR_NONE
};
/// `IORING_ENTER_NO_IOWAIT`.
const LACKS_NO_IOWAIT: Check = Check {
    argument: 3,
    comparison: libc::BPF_JSET,
    value: 1 << 7,
    passes_if: true,
};
/// `IORING_UNREGISTER_PBUF_RING`.
const UNREGISTERS_BUFFERS: Check = Check {
    argument: 1,
    value: 23,
    ..SUBMITS_TWO
};

fn refuse(call: libc::c_long, checks: &[Check]) {
    refuse_with(call, checks, libc::EBADR);
}

/// From now on, a `call` that none of the `checks` lets through fails with `errno`.
fn refuse_with(call: libc::c_long, checks: &[Check], errno: i32) {
    let statement = |code: u32, jt: u8, jf: u8, k: u32| libc::sock_filter {
        code: u16::try_from(code).unwrap(),
        jt,
        jf,
        k,
    };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let jump = libc::BPF_JMP | libc::BPF_K;
    let answer = libc::BPF_RET | libc::BPF_K;
    // Each check has two statements; behind the last one are the refusal and the other answer.
    let to_end = |checks: usize| u8::try_from(checks * 2 + 1).unwrap();
    let mut filter = vec![
        statement(load, 0, 0, 0),
        statement(
            jump | libc::BPF_JEQ,
            0,
            to_end(checks.len()),
            u32::try_from(call).unwrap(),
        ),
    ];
    for (done, check) in checks.iter().enumerate() {
        let end = to_end(checks.len() - done - 1);
        let (jt, jf) = if check.passes_if { (end, 0) } else { (0, end) };
        // The lower half of the argument.
        filter.push(statement(load, 0, 0, 16 + 8 * check.argument));
        filter.push(statement(jump | check.comparison, jt, jf, check.value));
    }
    let errno = libc::SECCOMP_RET_ERRNO | errno.unsigned_abs();
    filter.push(statement(answer, 0, 0, errno));
    filter.push(statement(answer, 0, 0, libc::SECCOMP_RET_ALLOW));
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

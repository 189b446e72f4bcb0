#![expect(unsafe_code, reason = "std opens no pidfd and sends no signals")]

use std::io::{ErrorKind, Write};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::Outcome;
use ringloop_proactor::ops::{Expiry, WaitTarget};

use crate::rig::{alone, poll_once, proactor, settle};

/// A child that reads its input to the end and then runs `script`, in a group of its own.
fn child(script: &str) -> Child {
    let mut command = Command::new("sh");
    let command = command.args(["-c", &format!("read -r line; {script}")]);
    let command = command.stdin(Stdio::piped()).process_group(0);
    command.spawn().unwrap()
}

fn let_go(child: &mut Child) {
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"go\n").unwrap();
}

fn signal(child: &Child, signal: i32) {
    let pid = i32::try_from(child.id()).unwrap();
    // SAFETY: the call takes integers.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
}

fn pidfd(child: &Child) -> OwnedFd {
    // SAFETY: the call takes integers.
    let raw = unsafe { libc::syscall(libc::SYS_pidfd_open, child.id(), 0) };
    let raw = RawFd::try_from(raw).unwrap();
    assert!(raw >= 0);
    // SAFETY: it was just opened, nobody else knows it.
    unsafe { OwnedFd::from_raw_fd(raw) }
}

#[test]
fn a_child_is_waited_for_by_every_name() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    for by in 0..3 {
        let mut child = child("exit 7");
        let target = match by {
            0 => WaitTarget::Pid(child.id()),
            1 => WaitTarget::Group(child.id()),
            _ => WaitTarget::PidFd(handle.adopt(pidfd(&child))),
        };
        let mut waited = handle.waitid(&target, libc::WEXITED).unwrap();
        assert!(poll_once(&mut waited).is_pending());
        proactor.park(Some(Duration::ZERO)).unwrap();
        assert!(poll_once(&mut waited).is_pending(), "it has not ended yet");
        // The number in the entry is no descriptor.
        assert_eq!(waited.report().fd, None);
        let_go(&mut child);
        let waited = proactor.block_on(waited).unwrap().unwrap();
        assert_eq!(waited.pid, child.id());
        assert_eq!(waited.status.code(), Some(7));
        let again = child.wait().unwrap_err();
        assert_eq!(again.raw_os_error(), Some(libc::ECHILD), "it is gone");
    }
}

#[test]
fn every_way_to_end_or_stop_is_told() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let mut child = child("exit 0");
    let target = WaitTarget::Pid(child.id());
    let mut next = |options| {
        let waited = handle.waitid(&target, options).unwrap();
        proactor.block_on(waited).unwrap().unwrap().status
    };
    signal(&child, libc::SIGSTOP);
    let stopped = next(libc::WSTOPPED);
    assert_eq!(stopped.stopped_signal(), Some(libc::SIGSTOP));
    signal(&child, libc::SIGCONT);
    assert!(next(libc::WCONTINUED).continued());
    signal(&child, libc::SIGKILL);
    let seen = next(libc::WEXITED | libc::WNOWAIT);
    assert_eq!(seen.signal(), Some(libc::SIGKILL));
    assert_eq!(next(libc::WEXITED), seen, "it was left to be waited for");
    assert!(child.wait().is_err(), "now it is gone");
}

#[test]
fn any_child_counts() {
    if !alone("process::any_child_counts") {
        return;
    }
    let mut proactor = proactor();
    let handle = proactor.handle();
    let wait = || handle.waitid(&WaitTarget::Any, libc::WEXITED).unwrap();
    let error = proactor.block_on(wait()).unwrap().unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ECHILD));
    let mut children = [child("exit 1"), child("exit 2")];
    for place in [1, 0] {
        let_go(&mut children[place]);
        let waited = proactor.block_on(wait()).unwrap().unwrap();
        assert_eq!(waited.pid, children[place].id());
    }
}

#[test]
fn a_cancelled_wait_leaves_the_child() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let mut child = child("exit 3");
    let target = WaitTarget::Pid(child.id());
    let mut waited = handle.waitid(&target, libc::WEXITED).unwrap();
    assert!(poll_once(&mut waited).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    let outcome = proactor.block_on(waited.cancel()).unwrap();
    assert!(matches!(outcome, Outcome::Cancelled(())), "{outcome:?}");
    let_go(&mut child);
    assert_eq!(child.wait().unwrap().code(), Some(3));
    settle(&mut proactor);
}

#[test]
fn a_wait_that_takes_too_long_expires() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let mut child = child("exit 4");
    let target = WaitTarget::Pid(child.id());
    let mut wait = |time| {
        let waited = handle.waitid(&target, libc::WEXITED).unwrap();
        proactor.block_on(waited.with_timeout(time)).unwrap()
    };
    let (waited, expiry) = wait(Duration::from_millis(1));
    assert_eq!(waited.unwrap_err().raw_os_error(), Some(libc::ECANCELED));
    assert_eq!(expiry, Expiry::Expired);
    let_go(&mut child);
    let (waited, expiry) = wait(Duration::from_secs(3600));
    assert_eq!(waited.unwrap().status.code(), Some(4));
    assert_eq!(expiry, Expiry::InTime);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let proactor = proactor();
    let handle = proactor.handle();
    let options = libc::WEXITED | libc::WNOHANG;
    let error = handle.waitid(&WaitTarget::Any, options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

//! A kernel that refuses: the error says why and what to do, and nothing panics.

use std::thread;

use ringloop::{Runtime, SetupErrorKind};

use crate::examples::example;
use crate::kernel;
use crate::rig::alone;

/// A program with `#[ringloop::main]` ends with a message and a failure code.
#[track_caller]
fn check_program(errno: i32, said: &str) {
    let mut command = example("hello");
    kernel::refuse_io_uring_in(&mut command, errno);
    let output = command.output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert_eq!(output.stdout, b"", "it never came to the program");
    assert!(
        errors.starts_with("error: cannot set up io_uring"),
        "{errors}"
    );
    assert!(errors.contains(said), "the cause is missing: {errors}");
    assert!(
        errors.contains("seccomp profile"),
        "the remedy is missing: {errors}"
    );
    assert!(!errors.contains("panicked"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}

/// `Runtime::new` says which cause it was, and keeps the kernel's own answer.
#[track_caller]
fn check_kind(errno: i32, kind: &SetupErrorKind) {
    // A filter holds for the thread that installs it.
    let refused = thread::spawn(move || {
        kernel::refuse_io_uring(errno).unwrap();
        Runtime::new().map(drop)
    });
    let error = refused.join().unwrap().unwrap_err();
    assert_eq!(error.kind(), kind);
    assert_eq!(error.io_error().raw_os_error(), Some(errno));
}

#[test]
fn program_that_is_forbidden_a_ring_says_so() {
    check_program(libc::EPERM, "Operation not permitted");
}

#[test]
fn program_whose_sandbox_hides_the_call_says_so() {
    check_program(libc::ENOSYS, "Function not implemented");
}

#[test]
fn refusals_have_kinds() {
    check_kind(libc::EPERM, &SetupErrorKind::Sandbox);
    check_kind(libc::EACCES, &SetupErrorKind::Sandbox);
    check_kind(libc::ENOSYS, &SetupErrorKind::Sandbox);
    check_kind(libc::EMFILE, &SetupErrorKind::Descriptors);
    check_kind(libc::EIO, &SetupErrorKind::Other);
}

#[test]
fn without_a_free_descriptor_there_is_no_ring() {
    if !alone("setup::without_a_free_descriptor_there_is_no_ring") {
        return;
    }
    kernel::open_no_more_descriptors();
    let error = Runtime::new().map(drop).unwrap_err();
    assert_eq!(*error.kind(), SetupErrorKind::Descriptors);
    assert!(error.to_string().contains("ulimit -n"), "{error}");
}

#[test]
fn a_refused_runtime_leaves_no_descriptor_behind() {
    if !alone("setup::a_refused_runtime_leaves_no_descriptor_behind") {
        return;
    }
    kernel::refuse_io_uring(libc::EPERM).unwrap();
    let before = crate::rig::open_fds();
    for _ in 0..10 {
        Runtime::new().map(drop).unwrap_err();
    }
    assert_eq!(crate::rig::open_fds(), before);
}

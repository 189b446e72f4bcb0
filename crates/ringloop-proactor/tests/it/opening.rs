use std::io::ErrorKind;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;

use ringloop_core::Driver;
use ringloop_proactor::ops::OpenHow;
use ringloop_proactor::{Config, Outcome, Proactor};

use crate::rig::{Scratch, alone, errno, open_fds, poll_once, proactor, settle};

#[test]
fn paths_are_relative_to_a_directory() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("open-relative");
    scratch.file("inside", "here");
    let directory = handle.adopt(scratch.open());
    let open = handle.openat(Some(&directory), "inside", libc::O_RDONLY, 0);
    let file = proactor.block_on(open.unwrap()).unwrap().unwrap();
    let read = handle.read(&handle.adopt(file), Vec::with_capacity(8), 0);
    assert_eq!(proactor.block_on(read).unwrap().unwrap().1, b"here");
    // Made with the mode, less the umask, which leaves the owner's bits.
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL;
    let open = handle.openat(Some(&directory), "made", flags, 0o600);
    drop(proactor.block_on(open.unwrap()).unwrap().unwrap());
    let made = std::fs::metadata(scratch.path("made")).unwrap();
    assert_eq!(made.permissions().mode() & 0o777, 0o600);
    let file = handle.adopt(std::fs::File::open(scratch.path("made")).unwrap());
    for (directory, path, flags, expected) in [
        (&directory, "made", flags, libc::EEXIST),
        (&directory, "missing", libc::O_RDONLY, libc::ENOENT),
        (&directory, ".", libc::O_WRONLY, libc::EISDIR),
        (&directory, "", libc::O_RDONLY, libc::ENOENT),
        (&file, "below", libc::O_RDONLY, libc::ENOTDIR),
    ] {
        let open = handle.openat(Some(directory), path, flags, 0o600).unwrap();
        assert_eq!(errno(proactor.block_on(open).unwrap()), expected, "{path}");
        let open = handle.openat_direct(Some(directory), path, flags, 0o600);
        let result = proactor.block_on(open.unwrap()).unwrap();
        assert_eq!(errno(result), expected, "{path}");
    }
}

#[test]
fn the_resolution_of_a_path_can_be_confined() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("open-confined");
    scratch.file("inside", "here");
    std::os::unix::fs::symlink("inside", scratch.path("link")).unwrap();
    std::os::unix::fs::symlink("/", scratch.path("out")).unwrap();
    let directory = handle.adopt(scratch.open());
    let mut open = |path, how| {
        let open = handle.openat2(Some(&directory), path, how).unwrap();
        proactor.block_on(open).unwrap()
    };
    let beneath = OpenHow::new(libc::O_RDONLY).resolve(libc::RESOLVE_BENEATH);
    let file = open("link", beneath).unwrap();
    assert!(is_closed_on_exec(&file));
    assert_eq!(errno(open("out/proc", beneath)), libc::EXDEV);
    assert_eq!(errno(open("..", beneath)), libc::EXDEV);
    let straight = beneath.resolve(libc::RESOLVE_NO_SYMLINKS);
    assert_eq!(errno(open("link", straight)), libc::ELOOP);
    // The kernel refuses what it does not know, and a mode where nothing is made.
    assert_eq!(
        errno(open("inside", beneath.resolve(1 << 40))),
        libc::EINVAL
    );
    assert_eq!(errno(open("inside", beneath.mode(0o600))), libc::EINVAL);
    let flags = libc::O_WRONLY | libc::O_CREAT;
    drop(open("made", OpenHow::new(flags).mode(0o640)).unwrap());
    let made = std::fs::metadata(scratch.path("made")).unwrap();
    assert_eq!(made.permissions().mode() & 0o700, 0o600);
}

#[test]
fn files_are_opened_as_direct_descriptors() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("open-direct");
    let directory = handle.adopt(scratch.open());
    // `O_CLOEXEC` has no meaning for a direct descriptor, and is no error.
    let flags = libc::O_RDWR | libc::O_CREAT | libc::O_CLOEXEC;
    let open = handle.openat_direct(Some(&directory), "file", flags, 0o600);
    let file = proactor.block_on(open.unwrap()).unwrap().unwrap();
    assert!(file.is_direct());
    let write = handle.write(&file, "direct", 0);
    assert_eq!(proactor.block_on(write).unwrap().unwrap().0, 6);
    let how = OpenHow::new(libc::O_RDONLY | libc::O_CLOEXEC).resolve(libc::RESOLVE_BENEATH);
    let open = handle.openat2_direct(Some(&directory), "file", how);
    let again = proactor.block_on(open.unwrap()).unwrap().unwrap();
    assert!(again.is_direct());
    let read = handle.read(&again, Vec::with_capacity(8), 0);
    assert_eq!(proactor.block_on(read).unwrap().unwrap().1, b"direct");
    let open = handle.openat2_direct(Some(&directory), "../x", how);
    let result = proactor.block_on(open.unwrap()).unwrap();
    assert_eq!(errno(result), libc::EXDEV);
}

#[test]
fn direct_descriptors_that_nobody_takes_give_their_slots_back() {
    let mut proactor = Proactor::new(&Config::default().direct_descriptors(1)).unwrap();
    let handle = proactor.handle();
    let how = OpenHow::new(libc::O_RDONLY);
    for _ in 0..3 {
        // Dropped while the kernel may still be at it, and dropped with the result in the table.
        let mut open = handle.openat_direct(None, "/dev/null", 0, 0).unwrap();
        assert!(poll_once(&mut open).is_pending());
        proactor.park(Some(std::time::Duration::ZERO)).unwrap();
        drop(open);
        settle(&mut proactor);
        let mut open = handle.openat2_direct(None, "/dev/null", how).unwrap();
        assert!(poll_once(&mut open).is_pending());
        settle(&mut proactor);
        drop(open);
        settle(&mut proactor);
    }
    let open = handle.openat_direct(None, "/dev/null", 0, 0).unwrap();
    let held = proactor.block_on(open).unwrap().unwrap();
    let open = handle.openat_direct(None, "/dev/null", 0, 0).unwrap();
    assert_eq!(errno(proactor.block_on(open).unwrap()), libc::ENFILE);
    drop(held);
}

#[test]
fn descriptors_that_nobody_takes_are_closed() {
    if !alone("opening::descriptors_that_nobody_takes_are_closed") {
        return;
    }
    let mut proactor = proactor();
    let handle = proactor.handle();
    proactor.block_on(handle.nop()).unwrap().unwrap();
    let before = open_fds();
    let how = OpenHow::new(libc::O_RDONLY);
    for _ in 0..10 {
        let mut open = handle.openat(None, "/dev/null", 0, 0).unwrap();
        let mut open2 = handle.openat2(None, "/dev/null", how).unwrap();
        assert!(poll_once(&mut open).is_pending() && poll_once(&mut open2).is_pending());
        settle(&mut proactor);
        assert_eq!(open_fds(), before + 2);
        drop((open, open2));
        assert_eq!(open_fds(), before);
    }
}

#[test]
fn paths_with_a_zero_byte_are_refused() {
    let proactor = proactor();
    let handle = proactor.handle();
    let how = OpenHow::new(libc::O_RDONLY);
    let bad = "a\0b";
    let check = |result: Result<(), std::io::Error>| {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidInput);
    };
    check(handle.open(bad, 0, 0).map(drop));
    check(handle.openat(None, bad, 0, 0).map(drop));
    check(handle.openat_direct(None, bad, 0, 0).map(drop));
    check(handle.openat2(None, bad, how).map(drop));
    check(handle.openat2_direct(None, bad, how).map(drop));
    check(handle.statx(None, bad, 0, 0).map(drop));
    check(handle.unlinkat(None, bad, 0).map(drop));
    check(handle.mkdirat(None, bad, 0).map(drop));
    check(handle.renameat2(None, bad, None, "x", 0).map(drop));
    check(handle.renameat2(None, "x", None, bad, 0).map(drop));
    check(handle.linkat(None, bad, None, "x", 0).map(drop));
    check(handle.linkat(None, "x", None, bad, 0).map(drop));
    check(handle.symlinkat(bad, None, "x").map(drop));
    check(handle.symlinkat("x", None, bad).map(drop));
    check(handle.getxattr(bad, "user.x", vec![0]).map(drop));
    check(handle.getxattr("x", bad, vec![0]).map(drop));
    check(handle.setxattr(bad, "user.x", "v", 0).map(drop));
    check(handle.setxattr("x", bad, "v", 0).map(drop));
    let null = handle.adopt(std::fs::File::open("/dev/null").unwrap());
    check(handle.fgetxattr(&null, bad, vec![0]).map(drop));
    check(handle.fsetxattr(&null, bad, "v", 0).map(drop));
}

#[test]
fn an_open_that_waits_for_the_other_end_of_a_fifo_can_be_cancelled() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("open-fifo");
    let fifo = scratch.path("fifo");
    let status = std::process::Command::new("mkfifo").arg(&fifo).status();
    assert!(status.unwrap().success());
    // Without `O_CREAT` the kernel does not wait.
    let open = handle.open(&fifo, libc::O_WRONLY, 0).unwrap();
    assert_eq!(errno(proactor.block_on(open).unwrap()), libc::ENXIO);
    let open = handle.open(&fifo, libc::O_RDONLY, 0).unwrap();
    drop(proactor.block_on(open).unwrap().unwrap());
    let mut open = handle
        .open(&fifo, libc::O_RDONLY | libc::O_CREAT, 0)
        .unwrap();
    assert!(poll_once(&mut open).is_pending());
    // Another operation that a worker runs: this one is in a worker by then, or about to be.
    let statx = handle.statx(None, &fifo, 0, 0).unwrap();
    proactor.block_on(statx).unwrap().unwrap();
    assert!(poll_once(&mut open).is_pending());
    let outcome = proactor.block_on(open.cancel()).unwrap();
    assert!(matches!(outcome, Outcome::Cancelled(())), "{outcome:?}");
    assert_eq!(proactor.stats().in_flight, 0);
}

fn is_closed_on_exec(fd: &OwnedFd) -> bool {
    let path = format!("/proc/self/fdinfo/{}", fd.as_raw_fd());
    let info = std::fs::read_to_string(path).unwrap();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = i32::from_str_radix(flags.unwrap().trim(), 8).unwrap();
    flags & libc::O_CLOEXEC != 0
}

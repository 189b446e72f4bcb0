//! A descriptor that somebody else has closed.

#![expect(
    unsafe_code,
    reason = "only a bare close(2) takes a number away from its owner"
)]

use std::os::fd::AsRawFd;

use crate::rig::{alone, errno, proactor};

#[test]
fn a_number_that_was_closed_elsewhere_is_an_error_of_every_operation() {
    if !alone("closed::a_number_that_was_closed_elsewhere_is_an_error_of_every_operation") {
        return;
    }
    let mut proactor = proactor();
    let handle = proactor.handle();
    // Made first: a descriptor that is made later would get the number.
    let (reader, writer) = std::io::pipe().unwrap();
    let (reader, writer) = (handle.adopt(reader), handle.adopt(writer));
    proactor
        .block_on(handle.write(&writer, "x", u64::MAX))
        .unwrap()
        .unwrap();
    let fd = handle.adopt(std::fs::File::open("/dev/zero").unwrap());
    let number = fd.plain().unwrap().as_raw_fd();
    // SAFETY: the process is the test's own, and nothing else in it opens files.
    assert_eq!(unsafe { libc::close(number) }, 0);
    let at = Some(&fd);
    let how = ringloop_proactor::ops::OpenHow::new(libc::O_RDONLY);
    macro_rules! fails {
        ($($op:expr),+ $(,)?) => {$(
            assert_eq!(errno(proactor.block_on($op).unwrap()), libc::EBADF, stringify!($op));
        )+};
    }
    fails![
        handle.read(&fd, vec![0; 8], 0),
        handle.read(&fd, Vec::new(), 0),
        handle.write(&fd, "x", 0),
        handle.write(&fd, "", 0),
        handle.fsync(&fd),
        handle.fdatasync(&fd),
        handle.sync_file_range(&fd, 0, 0, 0),
        handle.fallocate(&fd, 0, 0, 1),
        handle.fadvise(&fd, 0, 0, 0),
        handle.openat(at, "x", 0, 0).unwrap(),
        handle.openat_direct(at, "x", 0, 0).unwrap(),
        handle.openat2(at, "x", how).unwrap(),
        handle.statx(at, "x", 0, 0).unwrap(),
        handle.statx_fd(&fd, 0).unwrap(),
        handle.unlinkat(at, "x", 0).unwrap(),
        handle.mkdirat(at, "x", 0).unwrap(),
        handle.symlinkat("x", at, "x").unwrap(),
        handle.renameat2(at, "x", None, "x", 0).unwrap(),
        handle.renameat2(None, "x", at, "x", 0).unwrap(),
        handle.linkat(at, "x", None, "x", 0).unwrap(),
        handle.linkat(None, "/proc/version", at, "x", 0).unwrap(),
        handle.fgetxattr(&fd, "user.x", vec![0]).unwrap(),
        handle.fsetxattr(&fd, "user.x", "x", 0).unwrap(),
        handle.splice(&fd, 0, &writer, u64::MAX, 1, 0).unwrap(),
        handle.splice(&reader, u64::MAX, &fd, 0, 1, 0).unwrap(),
        handle.tee(&fd, &writer, 1, 0).unwrap(),
        handle.tee(&reader, &fd, 1, 0).unwrap(),
    ];
    if let Ok(truncate) = handle.ftruncate(&fd, 0) {
        fails![truncate];
    }
    fails![fd.close()];
}

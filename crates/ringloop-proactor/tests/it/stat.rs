use std::fs::FileTimes;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use ringloop_proactor::ops::Stat;

use crate::rig::{Scratch, errno, proactor};

#[test]
fn a_file_is_told_about_as_std_does() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("stat");
    let file = scratch.file("file", vec![7; 10_000]);
    let old = SystemTime::UNIX_EPOCH - Duration::from_millis(1_500);
    let times = FileTimes::new().set_modified(old);
    let opened = std::fs::File::options().write(true).open(&file).unwrap();
    opened.set_times(times).unwrap();
    std::fs::hard_link(&file, scratch.path("hard")).unwrap();
    std::os::unix::fs::symlink("file", scratch.path("soft")).unwrap();
    let directory = handle.adopt(scratch.open());
    let mask = libc::STATX_BASIC_STATS | libc::STATX_BTIME;
    let mut statx = |path, flags| {
        let statx = handle.statx(Some(&directory), path, flags, mask).unwrap();
        proactor.block_on(statx).unwrap()
    };
    let stat = statx("file", 0).unwrap();
    is_as_std_says(&stat, &std::fs::metadata(&file).unwrap());
    assert_eq!(
        (stat.len_bytes(), stat.links(), stat.modified()),
        (10_000, 2, Some(old))
    );
    is_as_std_says(
        &statx("soft", 0).unwrap(),
        &std::fs::metadata(&file).unwrap(),
    );
    let link = std::fs::symlink_metadata(scratch.path("soft")).unwrap();
    is_as_std_says(&statx("soft", libc::AT_SYMLINK_NOFOLLOW).unwrap(), &link);
    is_as_std_says(&statx(".", 0).unwrap(), &directory_metadata(&scratch));
    let null = statx("/dev/null", 0).unwrap();
    is_as_std_says(&null, &std::fs::metadata("/dev/null").unwrap());
    assert_ne!(null.special_device(), 0);
    assert_eq!(errno(statx("missing", 0)), libc::ENOENT);
    assert_eq!(errno(statx("file/below", 0)), libc::ENOTDIR);
    assert_eq!(errno(statx("", 0)), libc::ENOENT);
    assert_eq!(errno(statx("file", 1 << 30)), libc::EINVAL);
}

#[test]
fn an_open_file_is_told_about() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (reader, _writer) = std::io::pipe().unwrap();
    let scratch = Scratch::new("stat-open");
    let path = scratch.file("file", "content");
    let file = handle.adopt(std::fs::File::open(&path).unwrap());
    // The name is gone, the file is not.
    let metadata = std::fs::metadata(&path).unwrap();
    let mask = libc::STATX_BASIC_STATS | libc::STATX_BTIME;
    let statx = handle.statx_fd(&file, mask).unwrap();
    is_as_std_says(&proactor.block_on(statx).unwrap().unwrap(), &metadata);
    std::fs::remove_file(&path).unwrap();
    let statx = handle.statx_fd(&file, mask).unwrap();
    let stat = proactor.block_on(statx).unwrap().unwrap();
    assert_eq!((stat.inode(), stat.links()), (metadata.ino(), 0));
    let pipe = handle.adopt(reader);
    let statx = handle.statx_fd(&pipe, mask).unwrap();
    let stat = proactor.block_on(statx).unwrap().unwrap();
    assert_eq!(stat.mode() & libc::S_IFMT, libc::S_IFIFO);
}

#[test]
fn what_was_not_asked_for_is_none() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("stat-mask");
    let file = scratch.file("file", "");
    let statx = handle.statx(None, &file, 0, 0x2000 | 0x1000).unwrap();
    let stat = proactor.block_on(statx).unwrap().unwrap();
    if stat.mask() & 0x2000 != 0 {
        let (memory, offset) = stat.direct_io_alignment().unwrap();
        assert!(memory.is_power_of_two() && offset.is_power_of_two());
    }
    assert_eq!(stat.mount().is_some(), stat.mask() & 0x1000 != 0);
    let (set, known) = stat.attributes();
    assert_eq!(set & !known, 0);
    let statx = handle.statx(None, &file, 0, libc::STATX_SIZE).unwrap();
    let stat = proactor.block_on(statx).unwrap().unwrap();
    assert_eq!(stat.direct_io_alignment(), None);
    assert_eq!(
        stat.created().is_some(),
        stat.mask() & libc::STATX_BTIME != 0
    );
}

fn is_as_std_says(stat: &Stat, metadata: &std::fs::Metadata) {
    assert_eq!(stat.mode(), metadata.mode());
    assert_eq!(stat.len_bytes(), metadata.len());
    assert_eq!(stat.blocks(), metadata.blocks());
    assert_eq!(u64::from(stat.block_bytes()), metadata.blksize());
    assert_eq!(stat.inode(), metadata.ino());
    assert_eq!(u64::from(stat.links()), metadata.nlink());
    assert_eq!(
        (stat.user(), stat.group()),
        (metadata.uid(), metadata.gid())
    );
    assert_eq!(
        (stat.device(), stat.special_device()),
        (metadata.dev(), metadata.rdev())
    );
    assert_eq!(stat.modified(), metadata.modified().ok());
    assert_eq!(stat.accessed(), metadata.accessed().ok());
    assert_eq!(stat.created(), metadata.created().ok());
    let changed = Duration::new(
        metadata.ctime().unsigned_abs(),
        u32::try_from(metadata.ctime_nsec()).unwrap(),
    );
    assert_eq!(stat.changed(), Some(SystemTime::UNIX_EPOCH + changed));
}

fn directory_metadata(scratch: &Scratch) -> std::fs::Metadata {
    scratch.open().metadata().unwrap()
}

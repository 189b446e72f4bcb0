use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use ringloop_proactor::{BufGroupConfig, Link, OpError, Outcome};

use crate::rig::{Scratch, errno, proactor, scratch_file};

#[test]
fn a_file_is_written_and_read_back() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("files");
    let path = scratch.path("file");
    let flags = libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC;
    let read = proactor
        .block_on(async {
            let file = handle.adopt(handle.open(&path, flags, 0o600)?.await?);
            let (written, _) = handle.write(&file, "hello, ring".to_owned(), 0).await?;
            assert_eq!(written, 11);
            let (count, bytes) = handle.read(&file, Vec::with_capacity(64), 7).await?;
            assert_eq!(count, 4);
            file.close().await?;
            Ok::<_, io::Error>(bytes)
        })
        .unwrap();
    assert_eq!(read.unwrap(), b"ring");
}

#[test]
fn a_failed_read_gives_the_buffer_back() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let directory = handle.adopt(std::fs::File::open("/").unwrap());
    let result = proactor
        .block_on(handle.read(&directory, vec![7; 3], 0))
        .unwrap();
    let OpError { error, buffer, .. } = result.unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EISDIR));
    assert_eq!(buffer.capacity(), 3);
}

#[test]
fn a_missing_file_and_a_bad_path_are_the_errors_of_std() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let missing = handle.open("/nowhere/at/all", libc::O_RDONLY, 0).unwrap();
    let error = proactor.block_on(missing).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = handle.open("a\0b", libc::O_RDONLY, 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn an_inline_buffer_is_filled_where_it_stays() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let file = handle.adopt(std::fs::File::open("/proc/self/stat").unwrap());
    let (count, small) = proactor
        .block_on(handle.read(&file, [0_u8; 8], 0))
        .unwrap()
        .unwrap();
    let (_, large) = proactor
        .block_on(handle.read(&file, [0_u8; 512], 0))
        .unwrap()
        .unwrap();
    assert_eq!(count, 8);
    assert_eq!(small, large[..8]);
}

#[test]
fn opened_descriptors_are_closed_on_exec() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let open = handle.open("/dev/null", libc::O_RDONLY, 0).unwrap();
    let file = proactor.block_on(open).unwrap().unwrap();
    let socket = handle.socket(libc::AF_INET, libc::SOCK_STREAM, 0);
    let socket = proactor.block_on(socket).unwrap().unwrap();
    for fd in [file.as_fd(), socket.as_fd()] {
        let flags = std::fs::read_to_string(format!(
            "/proc/self/fdinfo/{}",
            std::os::fd::AsRawFd::as_raw_fd(&fd)
        ))
        .unwrap();
        let flags = flags
            .lines()
            .find_map(|line| line.strip_prefix("flags:"))
            .unwrap();
        let flags = i32::from_str_radix(flags.trim(), 8).unwrap();
        assert_ne!(flags & libc::O_CLOEXEC, 0);
    }
}

#[test]
fn offsets_that_no_file_has_are_refused_and_not_submitted() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let file = handle.adopt(scratch_file("offsets"));
    proactor
        .block_on(handle.write(&file, "kept", 0))
        .unwrap()
        .unwrap();
    let submitted = proactor.stats().submissions;
    for offset in [1 << 63, u64::MAX - 1] {
        let read = handle.read(&file, Vec::with_capacity(33), offset);
        let OpError { error, buffer, .. } = proactor.block_on(read).unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), buffer.capacity()),
            (ErrorKind::InvalidInput, 33)
        );
        let write = handle.write(&file, vec![5; 9], offset);
        let OpError { error, buffer, .. } = proactor.block_on(write).unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), buffer),
            (ErrorKind::InvalidInput, vec![5; 9])
        );
        let write = handle.write(&file, vec![5; 9], offset);
        let outcome = proactor.block_on(write.cancel()).unwrap();
        assert!(matches!(outcome, Outcome::Cancelled(buffer) if buffer == [5; 9]));
        drop(handle.write(&file, "dropped", offset));
        // A chain that cannot be whole does not happen at all.
        let chain = handle
            .write(&file, "lost", 0)
            .then(handle.read(&file, [0; 4], offset));
        let (first, second) = proactor.block_on(chain).unwrap();
        assert_eq!(errno(first), libc::ECANCELED);
        assert_eq!(second.unwrap_err().error.kind(), ErrorKind::InvalidInput);
    }
    assert_eq!(proactor.stats().submissions, submitted);
    let read = handle.read(&file, Vec::with_capacity(8), 0);
    assert_eq!(proactor.block_on(read).unwrap().unwrap().1, b"kept");
}

#[test]
fn every_kind_of_read_and_write_refuses_such_offsets() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let file = handle.adopt(scratch_file("offset-kinds"));
    let buffers = handle.register_buffers(1, 64).unwrap();
    let group = handle.provide(&BufGroupConfig::default().count(2)).unwrap();
    let submitted = proactor.stats().submissions;
    for offset in [1 << 63, u64::MAX - 1] {
        let read = handle.read_with(&file, [0; 4], offset, libc::RWF_NOWAIT);
        let write = handle.write_with(&file, "x", offset, libc::RWF_APPEND);
        let read_set = handle
            .read_vectored(&file, ([0; 2], [0; 2]), offset)
            .unwrap();
        let write_set = handle.write_vectored(&file, ("x", "y"), offset).unwrap();
        let fixed = buffers.check_out().unwrap();
        let read_fixed = handle.read_fixed(&file, fixed, offset);
        let provided = handle.read_provided(&file, &group, offset);
        let fixed = proactor.block_on(read_fixed).unwrap().unwrap_err();
        let write_fixed = handle.write_fixed(&file, fixed.buffer, offset);
        for error in [
            proactor.block_on(read).unwrap().unwrap_err().error,
            proactor.block_on(write).unwrap().unwrap_err().error,
            proactor.block_on(read_set).unwrap().unwrap_err().error,
            proactor.block_on(write_set).unwrap().unwrap_err().error,
            fixed.error,
            proactor.block_on(write_fixed).unwrap().unwrap_err().error,
            proactor.block_on(provided).unwrap().unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert_eq!(error.raw_os_error(), None);
        }
    }
    assert_eq!(proactor.stats().submissions, submitted);
    assert_eq!(group.stats().lent, 0);
}

#[test]
fn offsets_that_files_have_reach_to_the_last_one() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let file = handle.adopt(scratch_file("offset-ends"));
    // The last of them are for empty transfers only, as with `pread(2)` and `pwrite(2)`.
    let std_file = scratch_file("offset-ends-std");
    let last = i64::MAX.unsigned_abs();
    for offset in [last - 100, last - 8, last - 7, last] {
        let read = proactor
            .block_on(handle.read(&file, vec![0; 8], offset))
            .unwrap();
        let expected = std_file
            .read_at(&mut [0; 8], offset)
            .map_err(|error| error.raw_os_error());
        let read = read
            .map(|(count, _)| count)
            .map_err(|error| error.error.raw_os_error());
        assert_eq!(read, expected);
        let write = proactor
            .block_on(handle.write(&file, [1; 8], offset))
            .unwrap();
        let expected = std_file.write_at(&[1; 8], offset).unwrap_err();
        assert_eq!(Some(errno(write)), expected.raw_os_error());
    }
    // The position, which moves on.
    for text in ["one ", "two"] {
        proactor
            .block_on(handle.write(&file, text, u64::MAX))
            .unwrap()
            .unwrap();
    }
    let read = handle.read(&file, Vec::with_capacity(8), 1);
    assert_eq!(proactor.block_on(read).unwrap().unwrap().1, b"ne two");
}

#[test]
fn empty_buffers_move_nothing() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let file = handle.adopt(scratch_file("empty"));
    proactor
        .block_on(handle.write(&file, "kept", 0))
        .unwrap()
        .unwrap();
    for offset in [0, 4, 100, u64::MAX] {
        let write = handle.write(&file, Vec::new(), offset);
        assert_eq!(proactor.block_on(write).unwrap().unwrap().0, 0);
        let read = handle.read(&file, Vec::new(), offset);
        assert_eq!(proactor.block_on(read).unwrap().unwrap(), (0, vec![]));
        let read = handle.read(&file, [0; 0], offset);
        assert_eq!(proactor.block_on(read).unwrap().unwrap().0, 0);
    }
    // It does not wait for data either.
    let (reader, _writer) = io::pipe().unwrap();
    let pipe = handle.adopt(reader);
    let read = handle.read(&pipe, Vec::new(), u64::MAX);
    assert_eq!(proactor.block_on(read).unwrap().unwrap().0, 0);
}

#[test]
fn buffers_beyond_two_and_four_gib_are_read_and_written_in_part() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("large");
    let path = scratch.file("file", "small");
    let file = handle.adopt(std::fs::File::open(path).unwrap());
    let opened = std::fs::File::options()
        .write(true)
        .open("/dev/null")
        .unwrap();
    let null = handle.adopt(opened);
    // All but 4 KiB of 2 GiB, the kernel's limit. The pages of the buffers are never touched.
    let most = 0x7fff_f000;
    for len in [most, most + 1, 1 << 31, (1 << 32) + 5] {
        let write = handle.write(&null, vec![0; len], 0);
        let written = proactor.block_on(write).unwrap().map_err(io::Error::from);
        let (count, buffer) = written.unwrap();
        assert_eq!((count, buffer.len()), (most, len));
        let read = handle.read(&file, Vec::with_capacity(len), 0);
        assert_eq!(proactor.block_on(read).unwrap().unwrap().1, b"small");
    }
}

#[test]
fn flags_of_reads_and_writes_reach_the_kernel() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (reader, _writer) = io::pipe().unwrap();
    let pipe = handle.adopt(reader);
    let read = handle.read_with(&pipe, vec![0; 8], u64::MAX, libc::RWF_NOWAIT);
    assert_eq!(errno(proactor.block_on(read).unwrap()), libc::EAGAIN);
    let file = handle.adopt(scratch_file("flags"));
    for text in ["one", "two"] {
        let write = handle.write_with(&file, text, 0, libc::RWF_APPEND | libc::RWF_SYNC);
        assert_eq!(proactor.block_on(write).unwrap().unwrap().0, 3);
    }
    let read = handle.read_with(&file, Vec::with_capacity(8), 0, 0);
    assert_eq!(proactor.block_on(read).unwrap().unwrap().1, b"onetwo");
    let read = handle.read_with(&file, vec![0; 8], 0, 1 << 30);
    assert_eq!(errno(proactor.block_on(read).unwrap()), libc::EOPNOTSUPP);
    let write = handle.write_with(&file, "x", 0, 1 << 30);
    assert_eq!(errno(proactor.block_on(write).unwrap()), libc::EOPNOTSUPP);
}

#[test]
fn a_descriptor_of_the_wrong_kind_is_an_error() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("wrong-kind");
    let path = scratch.file("file", "text");
    let readable = handle.adopt(std::fs::File::open(&path).unwrap());
    let write = handle.write(&readable, "x", 0);
    assert_eq!(errno(proactor.block_on(write).unwrap()), libc::EBADF);
    let writable = handle.adopt(std::fs::File::options().write(true).open(&path).unwrap());
    let read = handle.read(&writable, vec![0; 8], 0);
    assert_eq!(errno(proactor.block_on(read).unwrap()), libc::EBADF);
    // Names a file, and opens it for nothing.
    let open = handle.open(&path, libc::O_PATH, 0).unwrap();
    let path_only = handle.adopt(proactor.block_on(open).unwrap().unwrap());
    let read = handle.read(&path_only, vec![0; 8], 0);
    assert_eq!(errno(proactor.block_on(read).unwrap()), libc::EBADF);
    let fsync = handle.fsync(&path_only);
    assert_eq!(errno(proactor.block_on(fsync).unwrap()), libc::EBADF);
    let stat = handle.statx_fd(&path_only, libc::STATX_SIZE).unwrap();
    assert_eq!(proactor.block_on(stat).unwrap().unwrap().len_bytes(), 4);
}

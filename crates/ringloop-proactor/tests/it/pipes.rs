use std::io::{Read, Write};
use std::os::fd::AsFd;

use ringloop_core::Driver;
use ringloop_proactor::{BufGroupConfig, Chunk, Config, Fd, Handle, Outcome, Proactor};

use crate::rig::{Scratch, alone, errno, open_fds, poll_once, proactor, settle};

/// The file's position, and all that a pipe has.
const HERE: u64 = u64::MAX;

fn pipe(handle: &Handle) -> (Fd, Fd) {
    let (reader, writer) = std::io::pipe().unwrap();
    (handle.adopt(reader), handle.adopt(writer))
}

#[test]
fn bytes_are_moved_from_file_to_file_through_a_pipe() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let scratch = Scratch::new("splice");
    let source = scratch.file("source", "0123456789");
    let target = scratch.file("target", "..........");
    let source = handle.adopt(std::fs::File::open(source).unwrap());
    let opened = std::fs::File::options().write(true).open(&target).unwrap();
    let file = handle.adopt(opened);
    let (reader, writer) = pipe(&handle);
    let mut splice = |from, at, to, to_at, len| {
        let splice = handle.splice(from, at, to, to_at, len, 0).unwrap();
        proactor.block_on(splice).unwrap()
    };
    assert_eq!(splice(&source, 2, &writer, HERE, 3).unwrap(), 3);
    assert_eq!(splice(&reader, HERE, &file, 6, 100).unwrap(), 3);
    assert_eq!(std::fs::read(&target).unwrap(), b"......234.");
    // At the position, which moves on.
    assert_eq!(splice(&source, HERE, &writer, HERE, 4).unwrap(), 4);
    assert_eq!(splice(&source, HERE, &writer, HERE, 100).unwrap(), 6);
    assert_eq!(splice(&source, HERE, &writer, HERE, 100).unwrap(), 0);
    assert_eq!(splice(&reader, HERE, &file, HERE, 100).unwrap(), 10);
    assert_eq!(std::fs::read(&target).unwrap(), b"0123456789");
    assert_eq!(splice(&source, 0, &writer, HERE, 0).unwrap(), 0);
    assert_eq!(
        splice(&source, i64::MAX.unsigned_abs() - 1, &writer, HERE, 1).unwrap(),
        0
    );
    // Neither is a pipe; a pipe has no offsets; the wrong ends.
    assert_eq!(errno(splice(&source, 0, &file, 0, 1)), libc::EINVAL);
    assert_eq!(errno(splice(&source, 0, &writer, 0, 1)), libc::ESPIPE);
    assert_eq!(errno(splice(&source, 0, &reader, HERE, 1)), libc::EBADF);
    for offset in [1 << 63, u64::MAX - 1] {
        for result in [
            handle.splice(&source, offset, &writer, HERE, 1, 0),
            handle.splice(&reader, HERE, &file, offset, 1, 0),
        ] {
            assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
        }
    }
}

#[test]
fn bytes_are_duplicated_into_another_pipe() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (reader, writer) = pipe(&handle);
    let (copy, tee_to) = pipe(&handle);
    proactor
        .block_on(handle.write(&writer, "twice", HERE))
        .unwrap()
        .unwrap();
    let tee = handle.tee(&reader, &tee_to, 4, 0).unwrap();
    assert_eq!(proactor.block_on(tee).unwrap().unwrap(), 4);
    for (end, expected) in [(&copy, &b"twic"[..]), (&reader, b"twice")] {
        let read = handle.read(end, Vec::with_capacity(16), HERE);
        assert_eq!(proactor.block_on(read).unwrap().unwrap().1, expected);
    }
    let null = handle.adopt(std::fs::File::open("/dev/null").unwrap());
    let tee = handle.tee(&null, &tee_to, 4, 0).unwrap();
    assert_eq!(errno(proactor.block_on(tee).unwrap()), libc::EINVAL);
    drop(writer);
    settle(&mut proactor);
    let tee = handle.tee(&reader, &tee_to, 4, 0).unwrap();
    assert_eq!(proactor.block_on(tee).unwrap().unwrap(), 0);
}

#[test]
fn every_pair_of_plain_and_direct_descriptors_is_spliced() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (reader, writer) = pipe(&handle);
    let (copy, tee_to) = pipe(&handle);
    let mut direct = |fd| {
        let register = handle.register(fd).unwrap();
        proactor.block_on(register).unwrap().unwrap()
    };
    // Slots 0 to 3; as numbers of the process they would be the standard streams.
    let readers = [reader.clone(), direct(&reader)];
    let targets = [tee_to.clone(), direct(&tee_to)];
    for from in &readers {
        for to in &targets {
            proactor
                .block_on(handle.write(&writer, "abc", HERE))
                .unwrap()
                .unwrap();
            let tee = handle.tee(from, to, 2, 0).unwrap();
            assert_eq!(proactor.block_on(tee).unwrap().unwrap(), 2);
            let splice = handle.splice(from, HERE, to, HERE, 16, 0).unwrap();
            assert_eq!(proactor.block_on(splice).unwrap().unwrap(), 3);
            let read = handle.read(&copy, Vec::with_capacity(16), HERE);
            assert_eq!(proactor.block_on(read).unwrap().unwrap().1, b"ababc");
        }
    }
    // A flag that says the descriptor is direct when it is not is not passed on.
    proactor
        .block_on(handle.write(&writer, "abc", HERE))
        .unwrap()
        .unwrap();
    let splice = handle
        .splice(&reader, HERE, &tee_to, HERE, 3, 1 << 31)
        .unwrap();
    assert_eq!(proactor.block_on(splice).unwrap().unwrap(), 3);
}

#[test]
fn a_direct_descriptor_of_another_proactor_is_not_spliced() {
    let mut here = proactor();
    let mut there = proactor();
    let (reader, writer) = pipe(&here.handle());
    let register = there.handle().register(&reader).unwrap();
    let strange_reader = there.block_on(register).unwrap().unwrap();
    let register = there.handle().register(&writer).unwrap();
    let strange_writer = there.block_on(register).unwrap().unwrap();
    let splice = here
        .handle()
        .splice(&strange_reader, HERE, &writer, HERE, 1, 0);
    assert_eq!(errno(splice), libc::EXDEV);
    assert_eq!(
        errno(here.handle().tee(&strange_reader, &writer, 1, 0)),
        libc::EXDEV
    );
    let splice = here
        .handle()
        .splice(&reader, HERE, &strange_writer, HERE, 1, 0)
        .unwrap();
    assert_eq!(errno(here.block_on(splice).unwrap()), libc::EXDEV);
    let tee = here.handle().tee(&reader, &strange_writer, 1, 0).unwrap();
    assert_eq!(errno(here.block_on(tee).unwrap()), libc::EXDEV);
}

#[test]
fn a_splice_that_waits_for_bytes_can_be_cancelled_and_abandoned() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (reader, _writer) = pipe(&handle);
    let (_copy, to) = pipe(&handle);
    let mut splice = handle.splice(&reader, HERE, &to, HERE, 1, 0).unwrap();
    let mut tee = handle.tee(&reader, &to, 1, 0).unwrap();
    assert!(poll_once(&mut splice).is_pending() && poll_once(&mut tee).is_pending());
    proactor.block_on(handle.nop()).unwrap().unwrap();
    let outcome = proactor.block_on(splice.cancel()).unwrap();
    assert!(matches!(outcome, Outcome::Cancelled(())), "{outcome:?}");
    drop(tee);
    settle(&mut proactor);
    assert_eq!(proactor.stats().live, 0);
}

#[test]
fn pipes_are_made() {
    if !alone("pipes::pipes_are_made") {
        return;
    }
    let mut proactor = proactor();
    let handle = proactor.handle();
    proactor.block_on(handle.nop()).unwrap().unwrap();
    let before = open_fds();
    let Ok(made) = handle.pipe(0) else {
        return; // Before Linux 6.16.
    };
    let (reader, writer) = proactor.block_on(made).unwrap().unwrap();
    for end in [&reader, &writer] {
        let number = std::os::fd::AsRawFd::as_raw_fd(&end.as_fd());
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = i32::from_str_radix(flags.unwrap().trim(), 8).unwrap();
        assert_ne!(flags & libc::O_CLOEXEC, 0);
    }
    let (mut reader, mut writer) = (std::fs::File::from(reader), std::fs::File::from(writer));
    writer.write_all(b"through").unwrap();
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(text, "through");
    drop(reader);
    let made = handle.pipe(1 << 30).unwrap();
    assert_eq!(errno(proactor.block_on(made).unwrap()), libc::EINVAL);
    // Both ends of one that nobody takes are closed, whenever it is dropped.
    let mut taken = handle.pipe(0).unwrap();
    let mut dropped = handle.pipe(0).unwrap();
    assert!(poll_once(&mut taken).is_pending() && poll_once(&mut dropped).is_pending());
    drop(dropped);
    settle(&mut proactor);
    assert_eq!(open_fds(), before + 2);
    drop(taken);
    assert_eq!(open_fds(), before);
}

#[test]
fn pipes_are_made_of_direct_descriptors() {
    let mut proactor = Proactor::new(&Config::default().direct_descriptors(3)).unwrap();
    let handle = proactor.handle();
    for round in 0..4 {
        let Ok(mut made) = handle.pipe_direct(libc::O_CLOEXEC) else {
            return; // Before Linux 6.16.
        };
        if round % 2 == 1 {
            // Nobody takes it: both slots are free again for the next round.
            assert!(poll_once(&mut made).is_pending());
            settle(&mut proactor);
            drop(made);
            settle(&mut proactor);
            continue;
        }
        let (reader, writer) = proactor.block_on(made).unwrap().unwrap();
        assert!(reader.is_direct() && writer.is_direct());
        proactor
            .block_on(handle.write(&writer, "slots", HERE))
            .unwrap()
            .unwrap();
        let read = handle.read(&reader, Vec::with_capacity(16), HERE);
        assert_eq!(proactor.block_on(read).unwrap().unwrap().1, b"slots");
        // One slot is left, which is not enough, and stays free.
        let more = handle.pipe_direct(0).unwrap();
        assert_eq!(errno(proactor.block_on(more).unwrap()), libc::ENFILE);
        let open = handle.openat_direct(None, "/dev/null", 0, 0).unwrap();
        let last = proactor.block_on(open).unwrap().unwrap();
        drop((reader, writer, last));
        settle(&mut proactor);
    }
}

#[test]
fn a_pipe_is_read_again_and_again() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let config = BufGroupConfig::default().count(2).len_bytes(16);
    let group = handle.provide(&config).unwrap();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let plain = handle.adopt(reader);
    let direct = proactor.block_on(handle.register(&plain).unwrap());
    let direct = direct.unwrap().unwrap();
    for fd in [&plain, &direct] {
        let Ok(mut reads) = handle.read_multishot(fd, &group) else {
            return; // Before Linux 6.7.
        };
        for text in ["one", "two", "three", "four"] {
            writer.write_all(text.as_bytes()).unwrap();
            let chunk = proactor.block_on(reads.next()).unwrap().unwrap().unwrap();
            assert_eq!(&chunk[..], text.as_bytes());
        }
        // One submission serves until the group is empty; then the bytes stay in the pipe.
        let submitted = proactor.stats().submissions;
        writer.write_all(&[7; 40]).unwrap();
        let mut held: Vec<Chunk> = Vec::new();
        for _ in 0..2 {
            held.push(proactor.block_on(reads.next()).unwrap().unwrap().unwrap());
        }
        assert!(proactor.stats().submissions <= submitted + 1);
        assert!(held.iter().all(|chunk| chunk[..] == [7; 16]));
        for _ in 0..3 {
            assert!(poll_once(&mut std::pin::pin!(reads.next())).is_pending());
            proactor.park(Some(std::time::Duration::ZERO)).unwrap();
        }
        held.clear();
        let rest = proactor.block_on(reads.next()).unwrap().unwrap().unwrap();
        assert_eq!(rest[..], [7; 8]);
        // What arrives and is not taken goes home with the stream.
        drop(rest);
        writer.write_all(b"lost").unwrap();
        assert!(poll_once(&mut std::pin::pin!(reads.next())).is_pending());
        proactor.block_on(handle.nop()).unwrap().unwrap();
        drop(reads);
        settle(&mut proactor);
        assert_eq!(group.stats().lent, 0);
    }
    let mut reads = handle.read_multishot(&plain, &group).unwrap();
    drop(writer);
    assert!(proactor.block_on(reads.next()).unwrap().is_none());
    assert!(proactor.block_on(reads.next()).unwrap().is_none());
    // A file on a disk is always ready: there is nothing to wait for between two reads.
    let file = handle.adopt(std::fs::File::open("/proc/self/exe").unwrap());
    let mut reads = handle.read_multishot(&file, &group).unwrap();
    let error = proactor
        .block_on(reads.next())
        .unwrap()
        .unwrap()
        .unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EBADFD));
}

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ringloop_core::{Driver, future::join};
use ringloop_proactor::{Acceptor, Fd, Op, Proactor, Receiver, Sender, ops::Read as ReadOp};

use crate::rig::{poll_once, proactor, settle, tcp_pair};

const POLLIN: u32 = 1;

/// Reads that wait, submitted.
fn reads(proactor: &mut Proactor, fd: &Fd, count: usize) -> Vec<Op<ReadOp<Vec<u8>>>> {
    let handle = proactor.handle();
    let read = || handle.read(fd, vec![0; 10], u64::MAX);
    let mut reads: Vec<_> = (0..count).map(|_| read()).collect();
    for read in &mut reads {
        assert!(poll_once(read).is_pending());
    }
    reads
}

fn all_cancelled(proactor: &mut Proactor, reads: Vec<Op<ReadOp<Vec<u8>>>>) {
    for read in reads {
        let error = proactor.block_on(read).unwrap().unwrap_err();
        assert_eq!(error.error.raw_os_error(), Some(libc::ECANCELED));
        assert_eq!(error.buffer.capacity(), 10);
    }
}

#[test]
fn what_is_on_the_descriptor_ends_and_nothing_else() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (reader, _writer) = std::io::pipe().unwrap();
    let (other, mut other_writer) = std::io::pipe().unwrap();
    let same = handle.adopt(reader.try_clone().unwrap());
    let (reader, other) = (handle.adopt(reader), handle.adopt(other));

    let none = proactor.block_on(handle.cancel_fd(&reader)).unwrap();
    assert_eq!(none.unwrap(), 0);
    let mine = reads(&mut proactor, &reader, 5);
    let dup = reads(&mut proactor, &same, 2);
    let mut theirs = reads(&mut proactor, &other, 1);
    // Staged before it, so it reaches them.
    let found = proactor.block_on(handle.cancel_fd(&reader)).unwrap();
    assert_eq!(found.unwrap(), 7, "another number of the same pipe counts");
    all_cancelled(&mut proactor, mine);
    all_cancelled(&mut proactor, dup);
    other_writer.write_all(b"one").unwrap();
    let (count, _) = proactor.block_on(theirs.remove(0)).unwrap().unwrap();
    assert_eq!(count, 3);
    settle(&mut proactor);
}

#[test]
fn a_direct_descriptor_is_reached() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (reader, _writer) = std::io::pipe().unwrap();
    let plain = handle.adopt(reader);
    let direct = proactor.block_on(handle.register(&plain).unwrap());
    let direct = direct.unwrap().unwrap();
    for (on, by) in [(&direct, &direct), (&direct, &plain), (&plain, &direct)] {
        let reads = reads(&mut proactor, on, 3);
        let found = proactor.block_on(handle.cancel_fd(by)).unwrap();
        assert_eq!(found.unwrap(), 3);
        all_cancelled(&mut proactor, reads);
    }
    // Of another proactor, its slot means nothing here.
    let elsewhere = crate::rig::proactor();
    let foreign = elsewhere.handle().cancel_fd(&direct);
    let mut elsewhere = elsewhere;
    let error = elsewhere.block_on(foreign).unwrap().unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EXDEV));
}

#[test]
fn everything_ends_and_the_loop_is_woken_all_the_same() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (reader, _writer) = std::io::pipe().unwrap();
    let (near, _far) = UnixStream::pair().unwrap();
    let (reader, near) = (handle.adopt(reader), handle.adopt(near));
    for _ in 0..3 {
        // The poll that wakes the loop is armed by a turn.
        proactor.park(Some(Duration::ZERO)).unwrap();
        let reads = reads(&mut proactor, &reader, 4);
        let timeout = handle.timeout(Duration::from_secs(1000));
        let poll = handle.poll(&near, POLLIN);
        let many = join(join(timeout, poll), handle.cancel_all());
        let ((timeout, poll), found) = proactor.block_on(many).unwrap();
        // That poll is found as well.
        assert_eq!(found.unwrap(), 7);
        for error in [timeout.unwrap_err(), poll.unwrap_err()] {
            assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
        }
        all_cancelled(&mut proactor, reads);

        let unparker = proactor.unparker();
        let called = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&called);
        let this = std::fs::read_link("/proc/thread-self").unwrap();
        let other = std::thread::spawn(move || {
            let stat = Path::new("/proc").join(this).join("stat");
            while !std::fs::read_to_string(&stat).unwrap().contains(") S ") {
                std::thread::yield_now();
            }
            theirs.store(true, Ordering::Release);
            unparker.unpark();
        });
        // Without the poll this would sleep for ever.
        while !called.load(Ordering::Acquire) {
            proactor.park(None).unwrap();
        }
        other.join().unwrap();
    }
    assert_eq!(proactor.stats().in_flight, 0);
}

#[test]
fn later_operations_are_not_concerned() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let reader = handle.adopt(reader);
    let before = reads(&mut proactor, &reader, 1);
    let mut cancel = handle.cancel_all();
    assert!(poll_once(&mut cancel).is_pending());
    let mut after = reads(&mut proactor, &reader, 1);
    all_cancelled(&mut proactor, before);
    proactor.block_on(cancel).unwrap().unwrap();
    writer.write_all(b"x").unwrap();
    let after = proactor.block_on(after.remove(0)).unwrap().unwrap();
    assert_eq!(after.0, 1);
}

#[test]
fn resources_lose_nothing() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    let mut receiver = Receiver::new(near.clone());
    let mut sender = Sender::new(near.clone());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = Acceptor::new(handle.adopt(listener));
    let sent: Vec<u8> = (0..4_000_000_u32).map(|n| (n % 251) as u8).collect();
    let expected = sent.clone();
    let reader = std::thread::spawn(move || {
        let mut got = vec![0; 4_000_000];
        far.read_exact(&mut got).unwrap();
        (got, far)
    });
    let cancel_all = |proactor: &mut Proactor| {
        proactor.block_on(handle.cancel_all()).unwrap().unwrap();
    };
    for piece in sent.chunks(100_000) {
        assert!(poll_once(&mut pin!(receiver.read(&mut [0; 1]))).is_pending());
        drop(poll_once(&mut pin!(acceptor.accept())));
        proactor.block_on(sender.write_all(piece)).unwrap().unwrap();
        cancel_all(&mut proactor);
    }
    proactor.block_on(sender.flush()).unwrap().unwrap();
    let (got, mut far) = reader.join().unwrap();
    assert!(got == expected, "every byte arrives, in order");
    far.write_all(b"x").unwrap();
    let mut byte = [0; 1];
    proactor
        .block_on(receiver.read(&mut byte))
        .unwrap()
        .unwrap();
    let _client = TcpStream::connect(address).unwrap();
    drop(proactor.block_on(acceptor.accept()).unwrap().unwrap());
}

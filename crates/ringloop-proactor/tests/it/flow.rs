//! Streams that nobody reads, beside streams that somebody reads.

use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Acceptor, Config, Proactor, Receiver};

use crate::rig::{alone_with_few_descriptors, errno, poll_once, proactor};

/// A stream that has begun to receive, and the far end.
fn stream(proactor: &mut Proactor) -> (Receiver, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    let mut receiver = Receiver::new(proactor.handle().adopt(near));
    assert!(poll_once(&mut Box::pin(receiver.read(&mut [0; 1]))).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    (receiver, far)
}

fn read(proactor: &mut Proactor, receiver: &mut Receiver, count: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < count {
        let mut buf = [0; 300];
        let some = proactor.block_on(receiver.read(&mut buf)).unwrap().unwrap();
        assert_ne!(some, 0);
        bytes.extend_from_slice(&buf[..some]);
    }
    bytes
}

#[test]
fn many_unread_trickles_leave_the_shared_buffers_to_others() {
    const ROUNDS: u8 = 5;
    let config = Config::default().buffer_count(32).buffer_len_bytes(1024);
    let mut proactor = Proactor::new(&config).unwrap();
    let mut unread: Vec<_> = (0..200).map(|_| stream(&mut proactor)).collect();
    let before = proactor.stats().submissions;
    for round in 0..ROUNDS {
        for (_, far) in &mut unread {
            far.write_all(&[round; 10]).unwrap();
            proactor.park(Some(Duration::from_secs(1))).unwrap();
        }
    }
    assert_eq!(
        proactor.stats().submissions,
        before,
        "no receive has ended for want of a buffer"
    );
    let (mut receiver, mut far) = stream(&mut proactor);
    far.write_all(&[9; 1000]).unwrap();
    assert_eq!(read(&mut proactor, &mut receiver, 1000), [9; 1000]);
    assert_eq!(proactor.stats().submissions, before + 1, "nor has this one");
    let whole: Vec<u8> = (0..ROUNDS).flat_map(|round| [round; 10]).collect();
    for (receiver, _) in &mut unread {
        assert_eq!(read(&mut proactor, receiver, whole.len()), whole);
    }
}

#[test]
fn bulk_that_nobody_reads_leaves_the_shared_buffers_to_others() {
    let config = Config::default().buffer_count(32).buffer_len_bytes(1024);
    let mut proactor = Proactor::new(&config).unwrap();
    let mut unread: Vec<_> = (0..20).map(|_| stream(&mut proactor)).collect();
    for _ in 0..3 {
        for (_, far) in &mut unread {
            far.write_all(&[7; 1024]).unwrap();
            proactor.park(Some(Duration::from_secs(1))).unwrap();
        }
    }
    let (mut receiver, mut far) = stream(&mut proactor);
    let before = proactor.stats().submissions;
    far.write_all(&[9; 1000]).unwrap();
    assert_eq!(read(&mut proactor, &mut receiver, 1000), [9; 1000]);
    assert_eq!(proactor.stats().submissions, before);
    for (receiver, _) in &mut unread {
        assert_eq!(read(&mut proactor, receiver, 3072), [7; 3072]);
    }
}

#[test]
fn a_reader_that_lags_gets_what_came_in_order_in_few_pieces() {
    let mut proactor = proactor();
    let (mut receiver, mut far) = stream(&mut proactor);
    for number in 0..100 {
        far.write_all(&[number; 7]).unwrap();
        proactor.park(Some(Duration::from_secs(1))).unwrap();
    }
    let whole: Vec<u8> = (0..100).flat_map(|number| [number; 7]).collect();
    let first = proactor.block_on(receiver.read_chunk()).unwrap().unwrap();
    let rest = proactor.block_on(receiver.read_chunk()).unwrap().unwrap();
    assert_eq!([&first[..], &rest[..]].concat(), whole);
}

#[test]
fn accepts_that_fail_for_want_of_descriptors_are_not_tried_by_themselves() {
    if !alone_with_few_descriptors(
        "flow::accepts_that_fail_for_want_of_descriptors_are_not_tried_by_themselves",
    ) {
        return;
    }
    let mut proactor = proactor();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = Acceptor::new(proactor.handle().adopt(listener));
    let _client = TcpStream::connect(address).unwrap();
    let mut taken = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        taken.push(file);
    }
    // The loop's own poll goes out with the first turn.
    proactor.park(Some(Duration::ZERO)).unwrap();
    for _ in 0..3 {
        let before = proactor.stats().submissions;
        let failed = proactor.block_on(acceptor.accept()).unwrap();
        assert_eq!(errno(failed), libc::EMFILE);
        for _ in 0..10 {
            proactor.park(Some(Duration::ZERO)).unwrap();
        }
        assert_eq!(proactor.stats().submissions - before, 1);
    }
    drop(taken);
    proactor.block_on(acceptor.accept()).unwrap().unwrap();
}

//! What belongs to one proactor, given to another: numbers of one ring mean nothing in another one.

use std::io::Write;
use std::net::{TcpListener, TcpStream};

use ringloop_proactor::{BufGroup, BufGroupConfig, Fd, Proactor};

use crate::rig::{errno, proactor, tcp_pair};

/// Two proactors with a group each, both with the same number; a socket of the first one's, with
/// bytes in it, and the group of the second.
fn two() -> ([Proactor; 2], [BufGroup; 2], Fd, TcpStream) {
    let proactors = [proactor(), proactor()];
    let config = BufGroupConfig::default().count(4);
    let groups = [0, 1].map(|at| proactors[at].handle().provide(&config).unwrap());
    assert_eq!(groups[0].id(), groups[1].id());
    let (near, mut far) = tcp_pair();
    far.write_all(b"bytes").unwrap();
    let near = proactors[0].handle().adopt(near);
    (proactors, groups, near, far)
}

#[test]
fn an_operation_takes_no_buffer_of_another_proactors_group() {
    let ([mut here, _there], groups, near, _far) = two();
    let [mine, others] = &groups;
    let handle = here.handle();
    let file = handle.adopt(std::fs::File::open("/proc/self/cmdline").unwrap());
    let before = groups.each_ref().map(BufGroup::stats);
    let recv = here.block_on(handle.recv_provided(&near, others)).unwrap();
    assert_eq!(errno(recv), libc::EXDEV);
    let bundle = here.block_on(handle.recv_bundle(&near, others)).unwrap();
    assert_eq!(errno(bundle), libc::EXDEV);
    let read = here.block_on(handle.read_provided(&file, others, 0));
    assert_eq!(errno(read.unwrap()), libc::EXDEV);
    assert_eq!(groups.each_ref().map(BufGroup::stats), before);
    let chunk = here.block_on(handle.recv_provided(&near, mine)).unwrap();
    assert_eq!(chunk.unwrap()[..], *b"bytes");
}

#[test]
fn a_stream_takes_no_buffers_of_another_proactors_group() {
    let ([mut here, _there], groups, near, _far) = two();
    let [mine, others] = &groups;
    let handle = here.handle();
    let before = groups.each_ref().map(BufGroup::stats);
    let mut recv = handle.recv_multishot(&near, others);
    let answer = here.block_on(recv.next()).unwrap();
    assert_eq!(errno(answer.unwrap()), libc::EXDEV);
    assert!(here.block_on(recv.next()).unwrap().is_none());
    let mut messages = handle.recv_msg_multishot(&near, others, 0).unwrap();
    let answer = here.block_on(messages.next()).unwrap();
    assert_eq!(errno(answer.unwrap()), libc::EXDEV);
    if let Ok(mut reads) = handle.read_multishot(&near, others) {
        let answer = here.block_on(reads.next()).unwrap();
        assert_eq!(errno(answer.unwrap()), libc::EXDEV);
    }
    assert_eq!(groups.each_ref().map(BufGroup::stats), before);
    let mut recv = handle.recv_multishot(&near, mine);
    let chunk = here.block_on(recv.next()).unwrap().unwrap();
    assert_eq!(chunk.unwrap()[..], *b"bytes");
}

#[test]
fn a_direct_descriptor_and_a_group_are_of_one_proactor() {
    let ([mut here, mut there], [mine, others], near, _far) = two();
    let (a, b) = (here.handle(), there.handle());
    let direct = here.block_on(a.register(&near).unwrap()).unwrap().unwrap();
    for group in [&mine, &others] {
        let recv = there.block_on(b.recv_provided(&direct, group)).unwrap();
        assert_eq!(errno(recv), libc::EXDEV);
    }
    let recv = here.block_on(a.recv_provided(&direct, &others)).unwrap();
    assert_eq!(errno(recv), libc::EXDEV);
    let chunk = here.block_on(a.recv_provided(&direct, &mine)).unwrap();
    assert_eq!(chunk.unwrap()[..], *b"bytes");
}

#[test]
fn a_stream_works_on_no_slot_of_another_proactor() {
    let (mut here, mut there) = (proactor(), proactor());
    let (a, b) = (here.handle(), there.handle());
    let listener = || a.adopt(TcpListener::bind("127.0.0.1:0").unwrap());
    let (mine, others) = (TcpListener::bind("127.0.0.1:0").unwrap(), listener());
    let address = mine.local_addr().unwrap();
    let mine = a.adopt(mine);
    let mine = here.block_on(a.register(&mine).unwrap()).unwrap().unwrap();
    let others = there.block_on(b.register(&others).unwrap());
    let others = others.unwrap().unwrap();
    // Both are in the first slot: taken for its own, the other one's would accept this.
    let _client = TcpStream::connect(address).unwrap();
    let mut stream = a.accept_multishot(&others);
    let answer = here.block_on(stream.next()).unwrap();
    assert_eq!(errno(answer.unwrap()), libc::EXDEV);
    let mut stream = a.accept_multishot(&mine);
    assert!(here.block_on(stream.next()).unwrap().unwrap().is_ok());
}

use std::fs::File;
use std::io::{Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Ancillary, BufGroupConfig, Fd, Op, Operation, Outcome, Proactor};
use socket2::SockRef;

use crate::rig::{poll_once, proactor, settle, tcp_pair};

fn run<O: Operation>(proactor: &mut Proactor, op: Op<O>) -> O::Output {
    proactor.block_on(op).unwrap()
}

fn unix_pair(proactor: &Proactor) -> (Fd, Fd) {
    let (near, far) = UnixStream::pair().unwrap();
    (proactor.handle().adopt(near), proactor.handle().adopt(far))
}

fn room(count: usize) -> Ancillary {
    Ancillary::with_room(Ancillary::room_for_descriptors(count))
}

#[test]
fn a_message_fills_its_buffers_in_order() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, far) = unix_pair(&proactor);
    let parts = ("head ".to_owned(), [b'b'; 3], b" tail".to_vec());
    let send = handle
        .send_msg(&near, parts, None, Ancillary::new(), 0)
        .unwrap();
    let (count, (head, ..)) = run(&mut proactor, send).unwrap();
    assert_eq!((count, &*head), (13, "head "));
    let rooms = (vec![0; 7], [0; 3], Vec::with_capacity(10));
    let recv = handle.recv_msg(&far, rooms, Ancillary::new(), 0).unwrap();
    let received = run(&mut proactor, recv).unwrap();
    assert_eq!((received.count, received.flags), (13, 0));
    let (first, second, third) = received.buffers;
    assert_eq!(
        (&first[..], &second, &third[..]),
        (&b"head bb"[..], b"b t", &b"ail"[..])
    );
    assert_eq!(received.peer, None);
    // As many as there may be, and one more.
    let many = vec![[b'm'; 2]; 1024];
    let send = handle
        .send_msg(&near, many.clone(), None, Ancillary::new(), 0)
        .unwrap();
    assert_eq!(run(&mut proactor, send).unwrap().0, 2048);
    let recv = handle.recv_msg(&far, many, Ancillary::new(), 0).unwrap();
    assert_eq!(run(&mut proactor, recv).unwrap().count, 2048);
    let more = vec![[0; 1]; 1025];
    let error = handle
        .send_msg(&near, more.clone(), None, room(3), 0)
        .unwrap_err();
    assert_eq!(error.error.kind(), std::io::ErrorKind::InvalidInput);
    assert_eq!(error.buffer.0.len(), 1025);
    assert!(handle.recv_msg(&far, more.clone(), room(3), 0).is_err());
    assert!(handle.send_msg_zc(&near, more, None, room(3), 0).is_err());
}

#[test]
fn datagrams_keep_their_borders_also_when_they_are_empty() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, far) = UnixDatagram::pair().unwrap();
    let (near, far) = (handle.adopt(near), handle.adopt(far));
    for text in ["", "one", "", "longer than there is room"] {
        assert_eq!(
            run(&mut proactor, handle.send(&near, text)).unwrap().0,
            text.len()
        );
    }
    let lengths: Vec<_> = (0..4)
        .map(|_| {
            let recv = handle.recv_from(&far, Vec::with_capacity(10));
            let received = run(&mut proactor, recv).unwrap();
            let cut_off = received.flags & libc::MSG_TRUNC != 0;
            assert_eq!(received.count, received.buffers[0].len());
            (received.count, cut_off)
        })
        .collect();
    assert_eq!(lengths, [(0, false), (3, false), (0, false), (10, true)]);

    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = receiver.local_addr().unwrap();
    let receiver = handle.adopt(receiver);
    let sender = handle.adopt(UdpSocket::bind("127.0.0.1:0").unwrap());
    run(&mut proactor, handle.send_to(&sender, "", to)).unwrap();
    let send = handle.send_msg(&sender, [""; 0], Some(to.into()), Ancillary::new(), 0);
    run(&mut proactor, send.unwrap()).unwrap();
    for _ in 0..2 {
        let received = run(&mut proactor, handle.recv_from(&receiver, [0; 4])).unwrap();
        assert_eq!(received.count, 0);
        assert!(received.peer.is_some());
    }
    // More than a datagram holds is an error that brings everything back.
    let send = handle.send_msg(&sender, [vec![0; 100_000]], Some(to.into()), room(1), 0);
    let error = run(&mut proactor, send.unwrap()).unwrap_err();
    assert_eq!(error.error.raw_os_error(), Some(libc::EMSGSIZE));
    assert_eq!(error.buffer.0[0].len(), 100_000);
}

#[test]
fn what_goes_wrong_brings_the_buffers_back() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let file = handle.adopt(File::open("/dev/null").unwrap());
    let recv = handle.recv_msg(&file, [vec![1; 5]], room(2), 0).unwrap();
    let error = run(&mut proactor, recv).unwrap_err();
    assert_eq!(error.error.raw_os_error(), Some(libc::ENOTSOCK));
    assert_eq!(error.buffer.0, [vec![1; 5]]);
    let send = handle
        .send_msg(&file, ["x"], None, Ancillary::new(), 0)
        .unwrap();
    let error = run(&mut proactor, send).unwrap_err();
    assert_eq!(error.error.raw_os_error(), Some(libc::ENOTSOCK));
    let error = run(
        &mut proactor,
        handle.send_to(
            &file,
            "x",
            "127.0.0.1:9".parse::<std::net::SocketAddr>().unwrap(),
        ),
    );
    assert_eq!(
        error.unwrap_err().error.raw_os_error(),
        Some(libc::ENOTSOCK)
    );
    let (near, _far) = unix_pair(&proactor);
    let recv = handle
        .recv_msg(&near, [vec![1; 5]], room(2), libc::MSG_DONTWAIT)
        .unwrap();
    let error = run(&mut proactor, recv).unwrap_err();
    assert_eq!(error.error.raw_os_error(), Some(libc::EAGAIN));
    let recv = handle.recv_msg(&near, [vec![1; 5]], room(2), 0).unwrap();
    let mut recv = recv;
    assert!(poll_once(&mut recv).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    match proactor.block_on(recv.cancel()).unwrap() {
        Outcome::Cancelled((buffers, _)) => assert_eq!(buffers, [vec![1; 5]]),
        completed @ Outcome::Completed(_) => panic!("{completed:?}"),
    }
}

#[test]
fn messages_come_again_and_again_with_their_peers() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = receiver.local_addr().unwrap();
    SockRef::from(&receiver).set_recv_tos_v4(true).unwrap();
    let receiver = handle.adopt(receiver);
    let config = BufGroupConfig::default()
        .count(4)
        .len_bytes(16 + 128 + 32 + 8);
    let group = handle.provide(&config).unwrap();
    let mut messages = handle.recv_msg_multishot(&receiver, &group, 32).unwrap();
    let senders = [(); 3].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    let mut held = Vec::new();
    for round in 0..5 {
        for sender in &senders {
            // Empty ones end the operation in the kernel; nobody notices.
            for text in ["", "four", "12345678", "too long for the room"] {
                sender.send_to(text.as_bytes(), to).unwrap();
                let message = proactor
                    .block_on(messages.next())
                    .unwrap()
                    .unwrap()
                    .unwrap();
                assert_eq!(&message.buffers[..], &text.as_bytes()[..text.len().min(8)]);
                assert_eq!(message.count, message.buffers.len());
                assert_eq!(message.flags & libc::MSG_TRUNC != 0, text.len() > 8);
                assert_eq!(
                    message.peer.as_ref().unwrap().as_ip(),
                    sender.local_addr().ok()
                );
                let kinds: Vec<_> = message.ancillary.messages().map(|m| m.kind).collect();
                assert_eq!(kinds, [libc::IP_TOS]);
                held.push(message);
            }
            // All buffers are lent: it waits, and goes on when they come home.
            sender.send_to(b"later", to).unwrap();
            let mut next = Box::pin(messages.next());
            for _ in 0..5 {
                assert!(poll_once(&mut next).is_pending(), "{round}");
                proactor.park(Some(Duration::ZERO)).unwrap();
            }
            held.clear();
            let message = proactor.block_on(next).unwrap().unwrap().unwrap();
            assert_eq!(&message.buffers[..], b"later");
        }
    }
    drop((messages, held));
    settle(&mut proactor);
    assert_eq!((group.stats().lent, proactor.stats().live), (0, 0));
    // A buffer needs room for a payload.
    let refused = handle
        .recv_msg_multishot(&receiver, &group, 40)
        .unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
    assert!(
        handle
            .recv_msg_multishot(&receiver, &group, usize::MAX)
            .is_err()
    );
}

#[test]
fn flags_do_what_they_do_in_the_calls() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    far.write_all(b"hello").unwrap();
    let peek = handle.recv_with_flags(&near, vec![0; 8], libc::MSG_PEEK);
    assert_eq!(run(&mut proactor, peek).unwrap().1, b"hello");
    // Without writing anything, the kernel would count five bytes: they would be anything.
    let cut = handle.recv_with_flags(&near, Vec::with_capacity(8), libc::MSG_TRUNC);
    assert_eq!(run(&mut proactor, cut).unwrap().1, b"hello");
    let none = handle.recv_with_flags(&near, vec![0; 8], libc::MSG_DONTWAIT);
    let error = run(&mut proactor, none).unwrap_err();
    assert_eq!(error.error.raw_os_error(), Some(libc::EAGAIN));
    // All of it, although it comes in pieces.
    let mut all = handle.recv_with_flags(&near, vec![0; 6], libc::MSG_WAITALL);
    assert!(poll_once(&mut all).is_pending());
    for piece in [b"123", b"456"] {
        assert!(poll_once(&mut all).is_pending());
        far.write_all(piece).unwrap();
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(run(&mut proactor, all).unwrap().1, b"123456");
    // Held back until more comes.
    let more = handle.send_with_flags(&near, "be", libc::MSG_MORE);
    assert_eq!(run(&mut proactor, more).unwrap().0, 2);
    far.set_nonblocking(true).unwrap();
    assert!(far.read(&mut [0; 8]).is_err());
    far.set_nonblocking(false).unwrap();
    run(&mut proactor, handle.send(&near, "fore")).unwrap();
    let mut bytes = [0; 8];
    far.read_exact(&mut bytes[..6]).unwrap();
    assert_eq!(&bytes[..6], b"before");
}

#[test]
fn partial_progress_of_a_cancelled_receive_is_its_result() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    far.write_all(b"one").unwrap();
    let mut all = handle.recv_with_flags(&near, vec![0; 64], libc::MSG_WAITALL);
    assert!(poll_once(&mut all).is_pending());
    for _ in 0..3 {
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    match proactor.block_on(all.cancel()).unwrap() {
        Outcome::Completed(result) => assert_eq!(result.unwrap().1, b"one"),
        cancelled @ Outcome::Cancelled(_) => panic!("{cancelled:?}"),
    }
    // Likewise a send that a peer does not read.
    let total = 64 << 20;
    let mut all = handle.send_with_flags(&near, vec![1; total], libc::MSG_WAITALL);
    assert!(poll_once(&mut all).is_pending());
    for _ in 0..3 {
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    let Outcome::Completed(result) = proactor.block_on(all.cancel()).unwrap() else {
        panic!("some of it was sent")
    };
    let (sent, _) = result.unwrap();
    assert!(sent > 0 && sent < total);
    drop(near);
    settle(&mut proactor);
    let mut rest = Vec::new();
    far.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len(), sent);
}

#[test]
fn a_receive_with_a_timeout_loses_no_byte() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    let mut received = Vec::new();
    let mut sent = Vec::new();
    for round in 0..400_u32 {
        let delay = Duration::from_micros(u64::from(round % 40));
        let mut recv = handle.recv(&near, vec![0; 16]).with_timeout(delay);
        assert!(poll_once(&mut recv).is_pending());
        if round % 3 != 0 {
            proactor.park(Some(Duration::ZERO)).unwrap();
        }
        let piece = round.to_ne_bytes();
        far.write_all(&piece).unwrap();
        sent.extend_from_slice(&piece);
        let (result, _expiry) = proactor.block_on(recv).unwrap();
        match result {
            Ok((_, bytes)) => received.extend_from_slice(&bytes),
            Err(error) => assert_eq!(error.error.raw_os_error(), Some(libc::ECANCELED)),
        }
    }
    while received.len() < sent.len() {
        let recv = handle.recv(&near, vec![0; 4096]);
        received.extend_from_slice(&run(&mut proactor, recv).unwrap().1);
    }
    assert_eq!(received, sent);
}

/// More than the kernel moves at a time. The memory is never touched.
const HUGE: usize = 3 << 30;

#[test]
fn lengths_beyond_the_kernels_are_cut_off() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    far.write_all(b"few").unwrap();
    let recv = handle.recv(&near, vec![0_u8; HUGE].into_boxed_slice());
    let (count, bytes) = run(&mut proactor, recv).unwrap();
    assert_eq!((count, &bytes[..3]), (3, &b"few"[..]));
    far.write_all(b"few").unwrap();
    let recv = handle.recv_from(&near, bytes);
    let received = run(&mut proactor, recv).unwrap();
    assert_eq!(received.count, 3);
    let [bytes] = received.buffers;
    let (sent, huge) = run(&mut proactor, handle.send(&near, bytes)).unwrap();
    assert!(sent > 0 && sent < HUGE);
    let send = handle.send_msg(&near, [huge], None, Ancillary::new(), libc::MSG_DONTWAIT);
    let result = run(&mut proactor, send.unwrap());
    if let Err(error) = result {
        assert_eq!(error.error.raw_os_error(), Some(libc::EAGAIN));
    }
}

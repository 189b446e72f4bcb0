//! Descriptors and credentials that come along with messages.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Ancillary, BufGroupConfig, Fd, Op, Operation, Proactor};
use socket2::SockRef;

use crate::rig::{alone, is_closed_on_exec, open_fds, poll_once, proactor, settle};

fn run<O: Operation>(proactor: &mut Proactor, op: Op<O>) -> O::Output {
    proactor.block_on(op).unwrap()
}

fn unix_pair(proactor: &Proactor) -> (Fd, Fd) {
    let (near, far) = UnixStream::pair().unwrap();
    (proactor.handle().adopt(near), proactor.handle().adopt(far))
}

fn null(proactor: &Proactor) -> Fd {
    proactor.handle().adopt(File::open("/dev/null").unwrap())
}

/// Sends a byte, and one descriptor so many times.
fn give(proactor: &mut Proactor, to: &Fd, gift: &Fd, count: usize) {
    let mut ancillary = Ancillary::new();
    ancillary
        .push_descriptors(&vec![gift.clone(); count])
        .unwrap();
    let send = to.handle().send_msg(to, ["x"], None, ancillary, 0);
    assert_eq!(run(proactor, send.unwrap()).unwrap().0, 1);
}

fn room(count: usize) -> Ancillary {
    Ancillary::with_room(Ancillary::room_for_descriptors(count))
}

#[test]
fn descriptors_and_credentials_come_along() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, far) = UnixStream::pair().unwrap();
    SockRef::from(&far).set_passcred(true).unwrap();
    let (near, far) = (handle.adopt(near), handle.adopt(far));
    let (reader, mut writer) = std::io::pipe().unwrap();
    let mut ancillary = Ancillary::new();
    ancillary.push_descriptors(&[handle.adopt(reader)]).unwrap();
    let send = handle
        .send_msg(&near, ["a pipe"], None, ancillary, 0)
        .unwrap();
    run(&mut proactor, send).unwrap();
    let recv = handle
        .recv_msg(&far, [vec![0; 10]], Ancillary::with_room(256), 0)
        .unwrap();
    let mut received = run(&mut proactor, recv).unwrap();
    assert_eq!(received.buffers, [b"a pipe"]);
    let [pipe] = &received.ancillary.take_descriptors().unwrap()[..] else {
        panic!("one descriptor")
    };
    assert!(is_closed_on_exec(pipe));
    writer.write_all(b"through").unwrap();
    drop(writer);
    let mut text = String::new();
    File::from(pipe.try_clone().unwrap())
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "through");
    let messages: Vec<_> = received.ancillary.messages().collect();
    let [credentials] = messages[..] else {
        panic!("{messages:?}")
    };
    assert_eq!(
        (credentials.level, credentials.kind),
        (libc::SOL_SOCKET, libc::SCM_CREDENTIALS)
    );
    let pid = std::process::id().to_ne_bytes();
    assert_eq!(credentials.payload[..4], pid);
    // The room serves again, and what was in it is gone.
    run(&mut proactor, handle.send(&near, "plain")).unwrap();
    let recv = handle
        .recv_msg(&far, received.buffers, received.ancillary, 0)
        .unwrap();
    let mut received = run(&mut proactor, recv).unwrap();
    assert_eq!(received.ancillary.messages().count(), 1);
    assert!(received.ancillary.take_descriptors().unwrap().is_empty());
}

#[test]
fn a_direct_descriptor_is_not_sent_by_mistake() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let socket = handle
        .socket_direct(libc::AF_UNIX, libc::SOCK_DGRAM, 0)
        .unwrap();
    let socket = run(&mut proactor, socket).unwrap();
    let refused = Ancillary::new().push_descriptors(&[socket]).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn received_descriptors_are_never_lost() {
    if !alone("descriptors::received_descriptors_are_never_lost") {
        return;
    }
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, far) = unix_pair(&proactor);
    let null = null(&proactor);
    proactor.block_on(handle.nop()).unwrap().unwrap();
    let before = open_fds();

    // 64 into room for 4: the bytes come, and an error in place of the descriptors.
    give(&mut proactor, &near, &null, 64);
    let recv = handle.recv_msg(&far, [vec![0; 4]], room(4), 0).unwrap();
    let mut received = run(&mut proactor, recv).unwrap();
    settle(&mut proactor);
    assert_eq!(
        open_fds(),
        before,
        "closed at once, not when the message is dropped"
    );
    assert_eq!(received.buffers, [b"x"]);
    assert!(received.ancillary.is_truncated());
    let error = received.ancillary.take_descriptors().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    drop(received);

    // Nobody has asked for any.
    give(&mut proactor, &near, &null, 2);
    let recv = handle
        .recv_msg(&far, [vec![0; 4]], Ancillary::new(), 0)
        .unwrap();
    let mut received = run(&mut proactor, recv).unwrap();
    assert!(received.flags & libc::MSG_CTRUNC != 0);
    assert!(received.ancillary.take_descriptors().unwrap().is_empty());

    // Taken, not taken, looked at.
    give(&mut proactor, &near, &null, 3);
    for flags in [libc::MSG_PEEK, 0] {
        let recv = handle.recv_msg(&far, [vec![0; 4]], room(8), flags).unwrap();
        let mut received = run(&mut proactor, recv).unwrap();
        assert_eq!(open_fds(), before + 3);
        if flags == 0 {
            assert_eq!(received.ancillary.take_descriptors().unwrap().len(), 3);
        }
    }
    assert_eq!(open_fds(), before);

    // The future is dropped: before it was submitted, in flight, and completed.
    for turns in 0..3 {
        give(&mut proactor, &near, &null, 5);
        let mut recv = handle.recv_msg(&far, [vec![0; 4]], room(8), 0).unwrap();
        assert!(poll_once(&mut recv).is_pending());
        for _ in 0..turns {
            proactor.park(Some(Duration::ZERO)).unwrap();
        }
        drop(recv);
        settle(&mut proactor);
        if turns == 0 {
            let recv = handle.recv(&far, vec![0; 4]);
            run(&mut proactor, recv).unwrap();
        }
    }
    settle(&mut proactor);
    assert_eq!(open_fds(), before);
}

#[test]
fn descriptors_of_a_stream_of_messages_are_never_lost() {
    if !alone("descriptors::descriptors_of_a_stream_of_messages_are_never_lost") {
        return;
    }
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, far) = unix_pair(&proactor);
    let null = null(&proactor);
    let group = handle.provide(&BufGroupConfig::default()).unwrap();
    proactor.block_on(handle.nop()).unwrap().unwrap();
    let before = open_fds();
    let control = Ancillary::room_for_descriptors(4);
    let mut messages = handle.recv_msg_multishot(&far, &group, control).unwrap();
    give(&mut proactor, &near, &null, 4);
    let mut first = proactor
        .block_on(messages.next())
        .unwrap()
        .unwrap()
        .unwrap();
    let fds = first.ancillary.take_descriptors().unwrap();
    assert_eq!(fds.len(), 4);
    assert!(fds.iter().all(is_closed_on_exec));
    drop(fds);
    give(&mut proactor, &near, &null, 64);
    let second = proactor.block_on(messages.next()).unwrap().unwrap();
    let mut second = second.unwrap();
    assert_eq!(open_fds(), before);
    assert!(second.ancillary.take_descriptors().is_err());
    for _ in 0..3 {
        give(&mut proactor, &near, &null, 4);
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(open_fds(), before + 12);
    drop(messages);
    settle(&mut proactor);
    assert_eq!(open_fds(), before);
    drop((first, second));
    assert_eq!((group.stats().lent, proactor.stats().live), (0, 0));
}

#[test]
fn direct_descriptors_send_and_receive_messages() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, far) = unix_pair(&proactor);
    let [near, far] = [near, far].map(|fd| {
        let register = handle.register(&fd).unwrap();
        run(&mut proactor, register).unwrap()
    });
    let null = null(&proactor);
    give(&mut proactor, &near, &null, 1);
    let recv = handle.recv_msg(&far, [vec![0; 16]], room(1), 0).unwrap();
    let mut received = run(&mut proactor, recv).unwrap();
    assert_eq!(received.buffers, [b"x"]);
    assert_eq!(received.ancillary.take_descriptors().unwrap().len(), 1);
}

/// `MSG_CMSG_COMPAT`: io_uring would take it, and write descriptors where nobody finds them.
#[test]
fn descriptors_come_in_the_layout_of_this_process() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, far) = unix_pair(&proactor);
    let gift = null(&proactor);
    let mut ancillary = Ancillary::new();
    ancillary.push_descriptors(&[gift]).unwrap();
    let send = handle.send_msg(&near, ["x"], None, ancillary, i32::MIN);
    run(&mut proactor, send.unwrap()).unwrap();
    let receive = handle.recv_msg(&far, [[0; 8]], room(1), i32::MIN);
    let mut received = run(&mut proactor, receive.unwrap()).unwrap();
    assert_eq!(received.ancillary.take_descriptors().unwrap().len(), 1);
}

//! The receive queue of datagram sockets, and both queues at their end.

use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{DatagramReceiver, DatagramSender, Enclosed, SocketAddress};

use crate::rig::{alone, open_fds, poll_once, proactor, settle, udp_pair};

#[test]
fn datagrams_that_are_kept_leave_others_room() {
    let mut proactor = proactor();
    let (near, far) = udp_pair();
    let receiver = DatagramReceiver::ip(proactor.handle().adopt(near));
    // More than there are buffers, all held at once.
    let mut kept = Vec::new();
    for at in 0_u32..300 {
        far.send(&at.to_be_bytes()).unwrap();
        kept.push(
            proactor
                .block_on(receiver.recv_datagram())
                .unwrap()
                .unwrap(),
        );
    }
    for (at, datagram) in (0_u32..).zip(&kept) {
        assert_eq!(datagram[..], at.to_be_bytes());
        let peer = datagram.peer().and_then(SocketAddress::as_ip);
        assert_eq!(peer, Some(far.local_addr().unwrap()));
    }
    far.send(b"").unwrap();
    assert!(
        proactor
            .block_on(receiver.recv_datagram())
            .unwrap()
            .unwrap()
            .is_empty()
    );
    kept.clear();
    for at in 0_u32..100 {
        far.send(&at.to_be_bytes()).unwrap();
        let mut buf = [0; 8];
        let note = proactor.block_on(receiver.recv(&mut buf)).unwrap().unwrap();
        assert_eq!(buf[..note.count], at.to_be_bytes());
    }
}

#[test]
fn a_wait_that_was_called_and_goes_passes_the_call_on() {
    let mut proactor = proactor();
    let (near, far) = udp_pair();
    let receiver = DatagramReceiver::ip(proactor.handle().adopt(near));
    let mut bufs = [[0; 8]; 3];
    let [one, two, three] = &mut bufs;
    let mut first = Box::pin(receiver.recv(one));
    let mut second = Box::pin(receiver.recv(two));
    assert!(poll_once(&mut first).is_pending());
    assert!(poll_once(&mut second).is_pending());
    far.send(b"one").unwrap();
    while receiver.stats().received == 0 {
        proactor.park(Some(Duration::from_secs(1))).unwrap();
    }
    // It belongs to the first; who comes now waits behind the second.
    let mut third = Box::pin(receiver.recv(three));
    assert!(poll_once(&mut second).is_pending());
    assert!(poll_once(&mut third).is_pending());
    drop(first);
    assert!(poll_once(&mut third).is_pending());
    let std::task::Poll::Ready(note) = poll_once(&mut second) else {
        panic!("the call was passed on");
    };
    assert_eq!(note.unwrap().count, 3);
    drop(second);
    far.send(b"three").unwrap();
    assert_eq!(proactor.block_on(third).unwrap().unwrap().count, 5);
}

#[test]
fn who_comes_new_takes_nothing_that_another_was_called_for() {
    let mut proactor = proactor();
    let (near, far) = udp_pair();
    let receiver = DatagramReceiver::ip(proactor.handle().adopt(near));
    let mut bufs = [[0; 8]; 2];
    let [one, two] = &mut bufs;
    let mut first = Box::pin(receiver.recv(one));
    assert!(poll_once(&mut first).is_pending());
    far.send(b"one").unwrap();
    while receiver.stats().received == 0 {
        proactor.park(Some(Duration::from_secs(1))).unwrap();
    }
    let mut second = Box::pin(receiver.recv(two));
    assert!(poll_once(&mut second).is_pending());
    assert!(poll_once(&mut first).is_ready());
    far.send(b"two").unwrap();
    assert_eq!(proactor.block_on(second).unwrap().unwrap().count, 3);
}

#[test]
fn waits_end_with_the_proactor_and_nothing_leaks() {
    if !alone("datagram_queues::waits_end_with_the_proactor_and_nothing_leaks") {
        return;
    }
    let fds = open_fds();
    let mut proactor = proactor();
    let (near, far) = udp_pair();
    let near = proactor.handle().adopt(near);
    let receiver = DatagramReceiver::ip(near.clone());
    let sender = DatagramSender::new(near);
    for _ in 0..5 {
        far.send(b"queued").unwrap();
    }
    proactor
        .block_on(receiver.recv(&mut [0; 8]))
        .unwrap()
        .unwrap();
    while receiver.stats().queued < 4 {
        proactor.park(Some(Duration::from_secs(1))).unwrap();
    }
    let (unix, peer) = UnixDatagram::pair().unwrap();
    let blocked = DatagramSender::new(proactor.handle().adopt(unix));
    while poll_once(&mut Box::pin(blocked.send(b"x", None))).is_ready() {
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    drop(proactor);
    for _ in 0..4 {
        assert!(poll_once(&mut Box::pin(receiver.recv(&mut [0; 8]))).is_ready());
    }
    let std::task::Poll::Ready(last) = poll_once(&mut Box::pin(receiver.recv(&mut [0; 8]))) else {
        panic!("nothing more comes");
    };
    last.unwrap_err();
    assert!(poll_once(&mut Box::pin(sender.send(b"x", None))).is_ready());
    assert!(poll_once(&mut Box::pin(blocked.send(b"x", None))).is_ready());
    drop((receiver, sender, blocked, peer, far));
    assert_eq!(open_fds(), fds);
}

#[test]
fn a_receiver_that_is_dropped_gives_its_buffers_back() {
    let mut proactor = proactor();
    for _ in 0..40 {
        let (near, far) = udp_pair();
        let receiver = DatagramReceiver::ip(proactor.handle().adopt(near));
        for _ in 0..10 {
            far.send(b"left").unwrap();
        }
        proactor
            .block_on(receiver.recv(&mut [0; 8]))
            .unwrap()
            .unwrap();
        while receiver.stats().queued < 9 {
            proactor.park(Some(Duration::from_secs(1))).unwrap();
        }
    }
    settle(&mut proactor);
}

/// They were read past, or queued, or on the way when the receiver went.
#[test]
fn descriptors_that_nobody_takes_are_closed() {
    if !alone("datagram_queues::descriptors_that_nobody_takes_are_closed") {
        return;
    }
    let mut proactor = proactor();
    let handle = proactor.handle();
    let fds = open_fds();
    // Of the buffers, too, there are fewer than rounds.
    for _ in 0..70 {
        let (near, far) = UnixDatagram::pair().unwrap();
        let gift = near.try_clone().unwrap();
        let receiver = DatagramReceiver::unix(handle.adopt(near), 4);
        let sender = DatagramSender::new(handle.adopt(far));
        let send = || {
            let gifts = [gift.as_fd()];
            let enclosed = Enclosed::descriptors(&gifts);
            let mut dispatch = sender.dispatch();
            let sent = std::future::poll_fn(|cx| dispatch.poll_send(cx, b"x", None, enclosed));
            assert!(poll_once(&mut Box::pin(sent)).is_ready());
        };
        send();
        send();
        let mut buf = [0; 8];
        let note = proactor.block_on(receiver.recv(&mut buf)).unwrap();
        assert_eq!(note.unwrap().count, 1);
        while receiver.stats().queued == 0 {
            proactor.park(Some(Duration::from_secs(1))).unwrap();
        }
        send();
        drop((receiver, sender));
        settle(&mut proactor);
    }
    settle(&mut proactor);
    assert_eq!(open_fds(), fds);
}

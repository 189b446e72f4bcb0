//! The send queue of datagram sockets: order, errors, bounds.

use std::io::{self, Read};
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Config, DatagramReceiver, DatagramSender, Enclosed, Proactor};

use crate::rig::{poll_once, poll_with, proactor, udp_pair};

/// Receives on a plain socket. Work of the ring interrupts it.
fn received(socket: &UdpSocket) -> Vec<u8> {
    let mut buf = [0; 2048];
    loop {
        match socket.recv(&mut buf) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return buf[..result.unwrap()].to_vec(),
        }
    }
}

#[test]
fn what_is_sent_in_a_turn_goes_out_together_and_in_order() {
    for entries in [4, 256] {
        let config = Config::default().ring_entries(entries);
        let mut proactor = Proactor::new(&config).unwrap();
        let (near, far) = udp_pair();
        let sender = DatagramSender::new(proactor.handle().adopt(near));
        let mut numbers = 0_u32..150;
        for at in numbers.by_ref() {
            let bytes = at.to_be_bytes();
            assert!(poll_once(&mut Box::pin(sender.send(&bytes, None))).is_ready());
        }
        let before = proactor.handle().stats().enters;
        proactor.block_on(sender.flush()).unwrap().unwrap();
        let turns = proactor.handle().stats().enters - before;
        assert!(turns < if entries == 4 { 80 } else { 8 }, "{turns} enters");
        for at in 0_u32..150 {
            assert_eq!(received(&far), at.to_be_bytes());
        }
    }
}

#[test]
fn a_datagram_that_cannot_be_sent_holds_up_no_other() {
    let mut proactor = proactor();
    let (near, far) = udp_pair();
    let sender = DatagramSender::new(proactor.handle().adopt(near));
    let long = vec![0; 66_000];
    for at in 0_u32..20 {
        let bytes = at.to_be_bytes();
        let bytes = if [7, 8, 19].contains(&at) {
            &long[..]
        } else {
            &bytes
        };
        assert!(poll_once(&mut Box::pin(sender.send(bytes, None))).is_ready());
    }
    let error = proactor.block_on(sender.flush()).unwrap().unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EMSGSIZE));
    proactor.block_on(sender.flush()).unwrap().unwrap();
    for at in (0_u32..20).filter(|at| ![7, 8, 19].contains(at)) {
        assert_eq!(received(&far), at.to_be_bytes());
    }
    assert_eq!(sender.queued_bytes(), 0);
}

/// Without `SO_BROADCAST` the kernel refuses it, with an errno that an ICMP message may bring, too.
#[test]
fn a_datagram_of_which_no_icmp_tells_fails_once() {
    let mut proactor = proactor();
    let near = UdpSocket::bind("127.0.0.1:0").unwrap();
    let everybody = SocketAddr::from(([255, 255, 255, 255], 9));
    let sender = DatagramSender::new(proactor.handle().adopt(near));
    let sent = proactor.block_on(sender.send(b"x", Some(&everybody.into())));
    sent.unwrap().unwrap();
    let error = proactor.block_on(sender.flush()).unwrap().unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EACCES));
    proactor.block_on(sender.flush()).unwrap().unwrap();
}

#[test]
fn an_old_error_of_the_socket_costs_no_datagram_of_a_batch() {
    let mut proactor = proactor();
    let (near, far) = udp_pair();
    let to = far.local_addr().unwrap();
    drop(far);
    let sender = DatagramSender::new(proactor.handle().adopt(near));
    let first = async {
        sender.send(b"nobody", None).await?;
        sender.flush().await
    };
    proactor.block_on(first).unwrap().unwrap();
    let far = UdpSocket::bind(to).unwrap();
    far.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    for at in 0_u32..10 {
        let bytes = at.to_be_bytes();
        assert!(poll_once(&mut Box::pin(sender.send(&bytes, None))).is_ready());
    }
    let error = proactor.block_on(sender.flush()).unwrap().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    proactor.block_on(sender.flush()).unwrap().unwrap();
    for at in 0_u32..10 {
        assert_eq!(received(&far), at.to_be_bytes());
    }
}

#[test]
fn a_full_receiver_changes_the_order_of_nothing() {
    let mut proactor = proactor();
    let (near, far) = UnixDatagram::pair().unwrap();
    far.set_nonblocking(true).unwrap();
    let sender = DatagramSender::new(proactor.handle().adopt(near));
    let mut sent = 0_u32;
    let mut buf = [0; 8];
    for expected in 0_u32..300 {
        // Many more than the receiver has room for, so that each turn ends with one that waits.
        while sent < 300 {
            let bytes = sent.to_be_bytes();
            if poll_once(&mut Box::pin(sender.send(&bytes, None))).is_pending() {
                break;
            }
            sent += 1;
        }
        while let Err(error) = far.recv(&mut buf) {
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
            proactor.park(Some(Duration::from_millis(1))).unwrap();
        }
        assert_eq!(buf[..4], expected.to_be_bytes());
    }
    assert_eq!(sender.queued_bytes(), 0);
}

#[test]
fn a_sender_that_was_called_and_goes_passes_the_call_on() {
    let mut proactor = proactor();
    let (near, far) = UnixDatagram::pair().unwrap();
    far.set_nonblocking(true).unwrap();
    let sender = DatagramSender::new(proactor.handle().adopt(near));
    let bytes = vec![1; 100_000];
    for _ in 0..2 {
        assert!(poll_once(&mut Box::pin(sender.send(&bytes, None))).is_ready());
    }
    let counts = [Arc::default(), Arc::default()];
    let mut first = Box::pin(sender.send(&bytes, None));
    let mut second = Box::pin(sender.send(&bytes, None));
    assert!(poll_with(&mut first, &counts[0]).is_pending());
    assert!(poll_with(&mut second, &counts[1]).is_pending());
    // Nothing that is sent later calls anybody.
    let mut received = 0;
    while received < 2 || sender.queued_bytes() > 0 {
        proactor.park(Some(Duration::from_millis(1))).unwrap();
        received += usize::from(far.recv(&mut [0; 1]).is_ok());
    }
    assert_eq!(counts.each_ref().map(|count| count.get()), [1, 0]);
    // Who comes now waits behind both.
    let mut third = Box::pin(sender.send(b"third", None));
    assert!(poll_once(&mut third).is_pending());
    drop(third);
    drop(first);
    assert_eq!(counts[1].get(), 1);
    // Nor does anybody overtake the one that was called.
    let mut fourth = Box::pin(sender.send(b"fourth", None));
    assert!(poll_once(&mut fourth).is_pending());
    assert!(poll_once(&mut second).is_ready());
}

#[test]
fn what_is_enclosed_goes_with_its_datagram() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, far) = UnixDatagram::pair().unwrap();
    let gift = near.try_clone().unwrap();
    let sender = DatagramSender::new(handle.adopt(near));
    let receiver = DatagramReceiver::unix(handle.adopt(far), 4);
    let gifts = [gift.as_fd(), gift.as_fd(), gift.as_fd()];
    let counts = [1, 0, 3, 2, 0];
    for count in counts {
        let enclosed = Enclosed::descriptors(&gifts[..count]);
        let mut dispatch = sender.dispatch();
        let sent = std::future::poll_fn(|cx| dispatch.poll_send(cx, b"x", None, enclosed));
        assert!(poll_once(&mut Box::pin(sent)).is_ready());
    }
    for count in counts {
        let datagram = proactor.block_on(receiver.recv_datagram()).unwrap();
        let descriptors = datagram.unwrap().take_descriptors().unwrap();
        assert_eq!(descriptors.len(), count);
    }
}

/// Whoever receives a descriptor may wait for its end before he receives more.
#[test]
fn the_loop_does_not_sleep_on_descriptors_that_have_been_sent() {
    let mut proactor = proactor();
    let (near, far) = UnixDatagram::pair().unwrap();
    socket2::SockRef::from(&near)
        .set_send_buffer_size(5000)
        .unwrap();
    let (mut reader, writer) = io::pipe().unwrap();
    let sender = DatagramSender::new(proactor.handle().adopt(near));
    let mut dispatch = sender.dispatch();
    let gift = [writer.as_fd()];
    let enclosed = Enclosed::descriptors(&gift);
    let sent = std::future::poll_fn(|cx| dispatch.poll_send(cx, b"gift", None, enclosed));
    assert!(poll_once(&mut Box::pin(sent)).is_ready());
    drop(writer);
    // More than the socket takes.
    for _ in 0..20 {
        drop(poll_once(&mut Box::pin(sender.send(&[0; 2000], None))));
    }
    // With nothing else to come, these would never return.
    proactor.park(None).unwrap();
    proactor.park(None).unwrap();
    assert_eq!(far.recv(&mut [0; 4]).unwrap(), 4);
    assert_eq!(reader.read(&mut [0]).unwrap(), 0, "nobody else has it");
}

#[test]
fn addresses_of_any_length_stay_with_their_datagrams() {
    let mut proactor = proactor();
    let near = UdpSocket::bind("[::]:0").unwrap();
    let v6 = UdpSocket::bind("[::1]:0").unwrap();
    let v4 = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sender = DatagramSender::new(proactor.handle().adopt(near));
    let mapped = ("::ffff:127.0.0.1", v4.local_addr().unwrap().port());
    let mapped: SocketAddr = mapped.to_socket_addrs().unwrap().next().unwrap();
    for (far, to) in [(&v6, v6.local_addr().unwrap()), (&v4, mapped)] {
        far.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        for at in 0_u32..3 {
            let mut dispatch = sender.dispatch();
            let bytes = at.to_be_bytes();
            let sent = std::future::poll_fn(|cx| dispatch.poll_send_to_ip(cx, &bytes, to, None));
            assert!(poll_once(&mut Box::pin(sent)).is_ready());
        }
    }
    proactor.block_on(sender.flush()).unwrap().unwrap();
    for far in [&v6, &v4] {
        for at in 0_u32..3 {
            assert_eq!(received(far), at.to_be_bytes());
        }
    }
}

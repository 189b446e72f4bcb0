use std::io::{Read, Write};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Address, Config, Message, Proactor};

use crate::rig::{alone, open_fds, proactor, settle, tcp_pair};

fn send_all(address: &Address, numbers: std::ops::Range<u64>) {
    let mut here = Proactor::new(&Config::default()).unwrap();
    let handle = here.handle();
    for number in numbers {
        let message = handle
            .send_message(address, number.wrapping_mul(EVERY_BIT))
            .unwrap();
        here.block_on(message).unwrap().unwrap();
    }
}

/// An odd number, so that products are as different as their factors.
const EVERY_BIT: u64 = 0x9e37_79b9_7f4a_7c15;

#[test]
fn numbers_arrive_in_order_and_whole() {
    let mut there = proactor();
    let mut inbox = there.handle().inbox().unwrap();
    let address = inbox.address();
    let sender = std::thread::spawn(move || {
        send_all(&address, 0..3000);
    });
    for number in 0..3000_u64 {
        let Message::Data(data) = there.block_on(inbox.recv()).unwrap().unwrap() else {
            panic!("only numbers were sent")
        };
        assert_eq!(data, number.wrapping_mul(EVERY_BIT));
    }
    sender.join().unwrap();
}

#[test]
fn a_descriptor_moves_to_another_thread() {
    let mut there = proactor();
    let mut inbox = there.handle().inbox().unwrap();
    let address = inbox.address();
    let (near, mut far) = tcp_pair();
    let sender = std::thread::spawn(move || {
        let mut here = Proactor::new(&Config::default()).unwrap();
        let handle = here.handle();
        let plain = handle.adopt(near);
        let refused = handle.send_descriptor(&address, &plain, 1).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
        let direct = here.block_on(handle.register(&plain).unwrap());
        let direct = direct.unwrap().unwrap();
        let send = handle.send_descriptor(&address, &direct, 7).unwrap();
        here.block_on(send).unwrap().unwrap();
    });
    let message = there.block_on(inbox.recv()).unwrap().unwrap();
    sender.join().unwrap();
    let Message::Descriptor { fd, tag, .. } = message else {
        panic!("a descriptor was sent")
    };
    assert_eq!(tag, 7);
    far.write_all(b"moved").unwrap();
    let recv = there.handle().recv(&fd, vec![0; 8]);
    assert_eq!(there.block_on(recv).unwrap().unwrap().0, 5);
    there.block_on(fd.close()).unwrap().unwrap();
    assert_eq!(far.read(&mut [0; 8]).unwrap(), 0);
}

#[test]
fn an_address_keeps_no_connection_open() {
    let mut here = proactor();
    let handle = here.handle();
    let address = handle.inbox().unwrap().address();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    let direct = here.block_on(handle.register(&near).unwrap());
    let direct = direct.unwrap().unwrap();
    here.block_on(near.close()).unwrap().unwrap();
    settle(&mut here);
    drop(here);
    far.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let count = far.read(&mut [0; 1]);
    assert_eq!(count.unwrap(), 0, "the peer hears of the end");
    drop((direct, address));
}

#[test]
fn descriptors_that_nobody_takes_are_closed() {
    if !alone("mail::descriptors_that_nobody_takes_are_closed") {
        return;
    }
    let config = Config::default().direct_descriptors(1);
    let mut there = Proactor::new(&config).unwrap();
    let mut here = proactor();
    there.block_on(there.handle().nop()).unwrap().unwrap();
    let handle = here.handle();
    let (near, _far) = tcp_pair();
    let plain = handle.adopt(near);
    let direct = here.block_on(handle.register(&plain).unwrap());
    let direct = direct.unwrap().unwrap();
    let before = open_fds();
    for _ in 0..5 {
        // The only slot is free again each time.
        let inbox = there.handle().inbox().unwrap();
        let send = handle.send_descriptor(&inbox.address(), &direct, 0);
        here.block_on(send.unwrap()).unwrap().unwrap();
        there.park(Some(Duration::from_secs(1))).unwrap();
        drop(inbox);
        settle(&mut there);
        // And one that comes when the inbox is gone.
        let inbox = there.handle().inbox().unwrap();
        let late = handle
            .send_descriptor(&inbox.address(), &direct, 0)
            .unwrap();
        drop(inbox);
        here.block_on(late).unwrap().unwrap();
        there.park(Some(Duration::from_secs(1))).unwrap();
        there.park(Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(open_fds(), before);
    assert_eq!(there.stats().stale_completions, 0);
}

#[test]
fn there_is_one_inbox_and_its_end_is_told() {
    let mut there = proactor();
    let mut here = proactor();
    let inbox = there.handle().inbox().unwrap();
    let second = there.handle().inbox().unwrap_err();
    assert_eq!(second.kind(), std::io::ErrorKind::AlreadyExists);
    let address = inbox.address();
    drop(inbox);
    let gone = here.handle().send_message(&address, 1).unwrap_err();
    assert_eq!(gone.kind(), std::io::ErrorKind::NotConnected);
    let mut inbox = there.handle().inbox().unwrap();
    let address = inbox.address();
    there.shut_down();
    assert!(!address.is_open());
    let result = crate::rig::poll_once(&mut std::pin::pin!(inbox.recv()));
    let std::task::Poll::Ready(Err(error)) = result else {
        panic!("it has ended")
    };
    assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
    assert_eq!(here.shut_down(), 0);
}

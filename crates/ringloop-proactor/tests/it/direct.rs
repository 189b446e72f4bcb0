use std::io::Write;

use ringloop_proactor::{Config, Proactor};

use crate::rig::{alone, open_fds, proactor, settle, tcp_pair};

#[test]
fn every_kind_of_operation_takes_a_direct_descriptor() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let plain = handle.adopt(near);
    let direct = handle.register(&plain).unwrap();
    let direct = proactor.block_on(direct).unwrap().unwrap();
    assert!(direct.is_direct() && direct.plain().is_none() && !plain.is_direct());
    drop(plain);
    far.write_all(b"hello").unwrap();
    let recv = handle.recv(&direct, vec![0; 8]);
    assert_eq!(proactor.block_on(recv).unwrap().unwrap().0, 5);
    let mut receiver = ringloop_proactor::Receiver::new(direct.clone());
    let mut sender = ringloop_proactor::Sender::new(direct.clone());
    far.write_all(b"streamed").unwrap();
    let mut buf = [0; 16];
    let count = proactor.block_on(receiver.read(&mut buf)).unwrap().unwrap();
    assert_eq!(&buf[..count], b"streamed");
    proactor
        .block_on(sender.write_all(b"back"))
        .unwrap()
        .unwrap();
    proactor.block_on(sender.flush()).unwrap().unwrap();
    std::io::Read::read_exact(&mut far, &mut buf[..4]).unwrap();
    assert_eq!(&buf[..4], b"back");
    drop((receiver, sender));
    // The last user closes the slot, and the peer sees it.
    settle(&mut proactor);
    proactor.block_on(direct.close()).unwrap().unwrap();
    assert_eq!(std::io::Read::read(&mut far, &mut buf).unwrap(), 0);
}

#[test]
fn a_direct_descriptor_becomes_plain_again() {
    if !alone("direct::a_direct_descriptor_becomes_plain_again") {
        return;
    }
    let mut proactor = proactor();
    let handle = proactor.handle();
    proactor.block_on(handle.nop()).unwrap().unwrap();
    let before = open_fds();
    let plain = handle.adopt(std::fs::File::open("/proc/self/comm").unwrap());
    let direct = proactor.block_on(handle.register(&plain).unwrap());
    let direct = direct.unwrap().unwrap();
    drop(plain);
    let Ok(install) = handle.install(&direct) else {
        return; // Before Linux 6.8.
    };
    let installed = proactor.block_on(install).unwrap().unwrap();
    drop(direct);
    let mut text = String::new();
    let mut file = std::fs::File::from(installed);
    std::io::Read::read_to_string(&mut file, &mut text).unwrap();
    assert!(!text.is_empty());
    drop(file);
    settle(&mut proactor);
    assert_eq!(open_fds(), before);
}

#[test]
fn the_table_is_bounded_and_its_slots_are_used_again() {
    let config = Config::default().direct_descriptors(4);
    let mut proactor = Proactor::new(&config).unwrap();
    let handle = proactor.handle();
    let plain = handle.adopt(std::fs::File::open("/dev/null").unwrap());
    for _ in 0..3 {
        let mut held = Vec::new();
        for _ in 0..4 {
            let register = handle.register(&plain).unwrap();
            held.push(proactor.block_on(register).unwrap().unwrap());
        }
        let register = handle.register(&plain).unwrap();
        let full = proactor.block_on(register).unwrap().unwrap_err();
        assert_eq!(full.raw_os_error(), Some(libc::ENFILE));
        drop(held);
        settle(&mut proactor);
    }
}

#[test]
fn a_direct_descriptor_of_another_proactor_is_refused() {
    let mut here = proactor();
    let mut there = proactor();
    let plain = there
        .handle()
        .adopt(std::fs::File::open("/dev/zero").unwrap());
    let direct = there.block_on(there.handle().register(&plain).unwrap());
    let direct = direct.unwrap().unwrap();
    let stray = here.handle().read(&direct, vec![0; 8], 0);
    let error = here.block_on(stray).unwrap().unwrap_err();
    assert_eq!(error.error.raw_os_error(), Some(libc::EXDEV));
    let right = there.handle().read(&direct, vec![0; 8], 0);
    assert_eq!(there.block_on(right).unwrap().unwrap().0, 8);
    assert_eq!(here.stats().live, 0);
}

#[test]
fn operations_name_themselves() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, _far) = tcp_pair();
    let near = handle.adopt(near);
    let mut recv = handle.recv(&near, vec![0; 8]);
    assert_eq!(format!("{recv:?}"), "Op(recv, not started)");
    assert!(crate::rig::poll_once(&mut recv).is_pending());
    assert_eq!(format!("{recv:?}"), "Op(recv, staged)");
    ringloop_core::Driver::park(&mut proactor, Some(std::time::Duration::ZERO)).unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&near.plain().unwrap());
    let text = format!("{recv:?}");
    let start = format!("Op(recv on fd {number}, in flight for ");
    assert!(text.starts_with(&start), "{text}");
    let reports = handle.operations();
    assert!(reports.iter().any(|report| report.name == "recv"));
}

#[test]
fn a_connection_is_accepted_as_a_direct_descriptor() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let listener = handle.adopt(listener);
    let mut client = std::net::TcpStream::connect(address).unwrap();
    let accept = handle.accept_direct(&listener).unwrap();
    let connection = proactor.block_on(accept).unwrap().unwrap();
    assert!(connection.is_direct());
    client.write_all(b"in").unwrap();
    let recv = handle.recv(&connection, vec![0; 8]);
    assert_eq!(proactor.block_on(recv).unwrap().unwrap().0, 2);
    // One that nobody takes gives its slot back and is closed.
    let mut client = std::net::TcpStream::connect(address).unwrap();
    let mut accept = handle.accept_direct(&listener).unwrap();
    assert!(crate::rig::poll_once(&mut accept).is_pending());
    let nop = handle.nop();
    proactor.block_on(nop).unwrap().unwrap();
    drop(accept);
    settle(&mut proactor);
    assert_eq!(std::io::Read::read(&mut client, &mut [0; 8]).unwrap(), 0);
}

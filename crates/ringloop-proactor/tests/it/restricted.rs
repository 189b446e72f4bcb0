//! F114: a ring that can do less than the kernel.

use std::time::Duration;

use ringloop_proactor::{BufGroupConfig, Config, Proactor};

use crate::config::{echo, wake_from_a_thread};
use crate::rig::{errno, scratch_file, settle, tcp_pair};

#[test]
fn a_ring_for_the_network_does_what_streams_and_wakes_need() {
    let config = Config::default().network_only(true);
    for config in [
        config.clone().kernel_polling(Duration::from_millis(5)),
        config,
    ] {
        let mut proactor = Proactor::new(&config).unwrap();
        echo(&mut proactor);
        wake_from_a_thread(&mut proactor);
        assert_eq!(proactor.shut_down(), 0);
    }
}

#[test]
fn a_ring_for_the_network_has_groups_timeouts_and_direct_descriptors() {
    let mut proactor = Proactor::new(&Config::default().network_only(true)).unwrap();
    let handle = proactor.handle();
    let group = handle.provide(&BufGroupConfig::default()).unwrap();
    let (near, far) = tcp_pair();
    let (near, far) = (handle.adopt(near), handle.adopt(far));
    let direct = proactor.block_on(handle.register(&near).unwrap());
    let direct = direct.unwrap().unwrap();
    let sent = proactor.block_on(handle.send(&far, "hello")).unwrap();
    assert_eq!(sent.unwrap().0, 5);
    let chunk = proactor.block_on(handle.recv_provided(&direct, &group));
    assert_eq!(&chunk.unwrap().unwrap()[..], b"hello");
    let late = handle
        .recv(&direct, vec![0; 1])
        .with_timeout(Duration::from_millis(1));
    let (received, _) = proactor.block_on(late).unwrap();
    assert_eq!(errno(received), libc::ECANCELED);
    drop((direct, near, far));
    settle(&mut proactor);
    assert_eq!(proactor.shut_down(), 0);
}

#[test]
fn a_ring_for_the_network_finds_no_file_and_commands_nothing() {
    let mut proactor = Proactor::new(&Config::default().network_only(true)).unwrap();
    let handle = proactor.handle();
    let file = handle.adopt(scratch_file("restricted"));
    let open = handle.open("/etc/hostname", libc::O_RDONLY, 0).unwrap();
    assert_eq!(errno(proactor.block_on(open).unwrap()), libc::EACCES);
    let stat = handle.statx_fd(&file, libc::STATX_SIZE).unwrap();
    assert_eq!(errno(proactor.block_on(stat).unwrap()), libc::EACCES);
    let sync = handle.fsync(&file);
    assert_eq!(errno(proactor.block_on(sync).unwrap()), libc::EACCES);
    // What it has it can read and write.
    let write = handle.write(&file, "kept", 0);
    assert_eq!(proactor.block_on(write).unwrap().unwrap().0, 4);
}

use std::io::{Read, Write};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::ops::Expiry;
use ringloop_proactor::{Config, Link, OpError, Proactor};

use crate::rig::{poll_once, proactor, settle, tcp_pair};

#[test]
fn a_chain_runs_in_order() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let file = handle.adopt(crate::rig::scratch_file("chain"));
    for round in 0..50_u8 {
        let write = handle.write(&file, vec![round; 4096], 0);
        let read = handle.read(&file, Vec::with_capacity(4096), 0);
        let again = handle.write(&file, vec![!round; 4096], 0);
        let ((written, read), last) = proactor.block_on(write.then(read).then(again)).unwrap();
        assert_eq!(written.unwrap().0, 4096);
        assert!(read.unwrap().1.iter().all(|&byte| byte == round));
        assert_eq!(last.unwrap().0, 4096);
    }
    settle(&mut proactor);
}

#[test]
fn what_follows_a_failure_is_cancelled() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let directory = handle.adopt(std::fs::File::open("/").unwrap());
    let fails = || handle.read(&directory, vec![0; 8], 0);
    let (read, nop) = proactor.block_on(fails().then(handle.nop())).unwrap();
    assert_eq!(read.unwrap_err().error.raw_os_error(), Some(libc::EISDIR));
    assert_eq!(nop.unwrap_err().raw_os_error(), Some(libc::ECANCELED));
    let (read, nop) = proactor
        .block_on(fails().then_always(handle.nop()))
        .unwrap();
    assert!(read.is_err());
    nop.unwrap();
}

#[test]
fn what_follows_a_timeout_begins_when_it_has_passed() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let pause = handle.timeout(Duration::from_millis(1));
    let (passed, nop) = proactor.block_on(pause.then(handle.nop())).unwrap();
    passed.unwrap();
    nop.unwrap();
}

#[test]
#[should_panic(expected = "operations of two proactors")]
fn operations_of_two_proactors_are_no_chain() {
    let (here, there) = (proactor(), proactor());
    let _chain = here.handle().nop().then(there.handle().nop());
}

#[test]
fn a_timeout_ends_what_takes_too_long() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    let recv = || handle.recv(&near, Vec::with_capacity(8));
    let slow = recv().with_timeout(Duration::from_millis(1));
    let (result, expiry) = proactor.block_on(slow).unwrap();
    let OpError { error, buffer, .. } = result.unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
    assert_eq!((buffer.capacity(), expiry), (8, Expiry::Expired));
    far.write_all(b"in time").unwrap();
    let quick = recv().with_timeout(Duration::from_secs(3600));
    let (result, expiry) = proactor.block_on(quick).unwrap();
    assert_eq!((result.unwrap().0, expiry), (7, Expiry::InTime));
    let forever = recv().with_timeout(Duration::MAX);
    far.write_all(b"x").unwrap();
    let (result, _) = proactor.block_on(forever).unwrap();
    assert_eq!(result.unwrap().0, 1);
    settle(&mut proactor);
}

#[test]
fn a_chain_is_not_torn_apart_by_a_full_queue() {
    let config = Config::default().ring_entries(4);
    let mut proactor = Proactor::new(&config).unwrap();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    // Each chain fails at its head, so that an entry which lost its head would be seen to run.
    let mut chains: Vec<_> = (0..40)
        .map(|_| {
            let short = handle.read(&near, vec![0; 8], 1 << 40);
            short
                .then(handle.send(&near, b"torn".to_vec()))
                .then(handle.nop())
        })
        .collect();
    let mut singles: Vec<_> = (0..7).map(|_| handle.nop()).collect();
    for nop in &mut singles {
        assert!(poll_once(nop).is_pending());
    }
    for chain in &mut chains {
        assert!(poll_once(chain).is_pending());
    }
    for chain in chains {
        let ((read, send), nop) = proactor.block_on(chain).unwrap();
        assert!(read.is_err());
        for error in [send.unwrap_err().error, nop.unwrap_err()] {
            assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
        }
    }
    drop(singles);
    settle(&mut proactor);
    far.set_nonblocking(true).unwrap();
    let nothing = far.read(&mut [0; 8]).unwrap_err();
    assert_eq!(nothing.kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_chain_longer_than_the_queue_is_refused() {
    let config = Config::default().ring_entries(2);
    let mut proactor = Proactor::new(&config).unwrap();
    let handle = proactor.handle();
    let chain = handle.nop().then(handle.nop()).then(handle.nop());
    let ((first, second), third) = proactor.block_on(chain).unwrap();
    for result in [first, second, third] {
        assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::ECANCELED));
    }
    assert_eq!(proactor.stats().live, 0);
}

#[test]
fn a_dropped_chain_ends_whichever_part_has_begun() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let (other, _quiet) = tcp_pair();
    let near = handle.adopt(near);
    let other = handle.adopt(other);
    for has_begun in [false, true, false, true] {
        let first = handle.recv(&near, vec![0; 1]);
        let mut chain = first
            .then(handle.recv(&other, vec![0; 1]))
            .then(handle.nop());
        assert!(poll_once(&mut chain).is_pending());
        proactor.park(Some(Duration::ZERO)).unwrap();
        if has_begun {
            // The first part completes in the same turn in which the chain is given up.
            far.write_all(b"1").unwrap();
        }
        drop(chain);
        settle(&mut proactor);
        assert_eq!(proactor.stats().live, 0);
        if !has_begun {
            far.write_all(b"1").unwrap();
            let recv = handle.recv(&near, vec![0; 1]);
            assert_eq!(proactor.block_on(recv).unwrap().unwrap().0, 1);
        }
    }
    assert_eq!(proactor.stats().stale_completions, 0);
}

#[test]
fn a_cancelled_chain_tells_what_has_happened() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, _far) = tcp_pair();
    let near = handle.adopt(near);
    let mut chain = handle
        .nop()
        .then(handle.recv(&near, vec![0; 1]))
        .then(handle.nop());
    assert!(poll_once(&mut chain).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    chain.request_cancel();
    let ((first, second), third) = proactor.block_on(chain).unwrap();
    first.unwrap();
    for error in [second.unwrap_err().error, third.unwrap_err()] {
        assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
    }
    let mut unpolled = handle.nop().then(handle.nop());
    unpolled.request_cancel();
    let (first, second) = proactor.block_on(unpolled).unwrap();
    assert!(first.is_err() && second.is_err());
}

#[test]
#[should_panic(expected = "cannot become a part of a chain")]
fn what_has_begun_cannot_be_chained() {
    let proactor = proactor();
    let handle = proactor.handle();
    let mut begun = handle.nop();
    assert!(poll_once(&mut begun).is_pending());
    drop(handle.nop().then(begun));
}

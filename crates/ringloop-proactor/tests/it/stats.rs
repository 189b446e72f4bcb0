use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Config, Link, Proactor};

use crate::rig::{poll_once, proactor, settle};

#[test]
fn the_largest_batch_and_overflows_are_counted() {
    let mut proactor = Proactor::new(&Config::default().ring_entries(8)).unwrap();
    let handle = proactor.handle();
    for count in [1, 5, 3] {
        let mut nops: Vec<_> = (0..count).map(|_| handle.nop()).collect();
        for nop in &mut nops {
            assert!(poll_once(nop).is_pending());
        }
        settle(&mut proactor);
    }
    let stats = proactor.stats();
    assert_eq!((stats.batch_max, stats.overflows), (5, 0));
    // The queue holds 32; while it is flushed nothing is taken out.
    let mut nops: Vec<_> = (0..200).map(|_| handle.nop()).collect();
    for nop in &mut nops {
        assert!(poll_once(nop).is_pending());
    }
    settle(&mut proactor);
    let stats = proactor.stats();
    assert!(stats.overflows > 0, "{stats:?}");
    assert!(stats.batch_max >= 32, "{stats:?}");
}

#[test]
fn requests_to_end_are_counted_and_so_are_those_that_miss() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (reader, _writer) = std::io::pipe().unwrap();
    let reader = handle.adopt(reader);
    let mut read = handle.read(&reader, vec![0; 10], u64::MAX);
    assert!(poll_once(&mut read).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    drop(read);
    settle(&mut proactor);
    let stats = proactor.stats();
    assert_eq!((stats.cancels_asked, stats.cancels_missed), (1, 0));
    let mut nop = handle.nop();
    assert!(poll_once(&mut nop).is_pending());
    drop(nop);
    assert_eq!(proactor.stats().cancels_asked, 1, "it was never submitted");
    // The kernel does not find the second part of a chain before it has begun.
    let read = handle.read(&reader, vec![0; 10], u64::MAX);
    let mut chain = read.then(handle.nop());
    assert!(poll_once(&mut chain).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    chain.request_cancel();
    settle(&mut proactor);
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert!(poll_once(&mut chain).is_ready());
    let stats = proactor.stats();
    assert_eq!((stats.cancels_asked, stats.cancels_missed), (3, 1));
}

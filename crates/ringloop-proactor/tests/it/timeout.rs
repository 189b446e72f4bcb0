use std::io::ErrorKind;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::Outcome;

use crate::rig::{poll_once, proactor, settle};

#[test]
fn a_timeout_is_never_early() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    for micros in [0, 1, 100, 999, 1000, 5000] {
        let duration = Duration::from_micros(micros);
        let start = proactor.now();
        proactor
            .block_on(handle.timeout(duration))
            .unwrap()
            .unwrap();
        assert!(proactor.now() - start >= duration);
    }
}

#[test]
fn timeouts_end_in_their_order_and_the_longest_can_be_cancelled() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let mut ever = handle.timeout(Duration::MAX);
    assert!(poll_once(&mut ever).is_pending());
    let mut long = handle.timeout(Duration::from_millis(20));
    assert!(poll_once(&mut long).is_pending());
    let short = handle.timeout(Duration::from_millis(1));
    proactor.block_on(short).unwrap().unwrap();
    assert!(poll_once(&mut long).is_pending());
    proactor.block_on(long).unwrap().unwrap();
    assert!(poll_once(&mut ever).is_pending());
    let outcome = proactor.block_on(ever.cancel()).unwrap();
    assert!(matches!(outcome, Outcome::Cancelled(())), "{outcome:?}");
}

#[test]
fn a_multishot_timeout_tells_again_and_again_never_early() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let interval = Duration::from_millis(2);
    let mut ticks = handle.timeout_multishot(interval).unwrap();
    let start = proactor.now();
    for count in 1..=5 {
        proactor.block_on(ticks.next()).unwrap().unwrap().unwrap();
        assert!(proactor.now() - start >= interval * count);
    }
    // One submission for all of them, and the wake poll.
    assert_eq!(proactor.stats().submissions, 2);
    drop(ticks);
    settle(&mut proactor);
    assert_eq!(proactor.stats().live, 0);
    let error = handle.timeout_multishot(Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

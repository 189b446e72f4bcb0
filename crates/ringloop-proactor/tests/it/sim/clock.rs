use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::sim::SimConfig;
use ringloop_proactor::{Config, Proactor};

#[test]
fn a_sleep_takes_virtual_time_only() {
    let mut proactor = Proactor::simulated(&Config::default(), &SimConfig::default());
    let before = proactor.now();
    let year = Duration::from_secs(365 * 24 * 3600);
    proactor.park(Some(year)).unwrap();
    assert_eq!(proactor.now() - before, year);
}

#[test]
fn a_loop_that_never_waits_sees_time_pass() {
    let mut proactor = Proactor::simulated(&Config::default(), &SimConfig::default());
    let before = proactor.now();
    while proactor.now() - before < Duration::from_millis(1) {
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
}

#[test]
fn the_clock_starts_where_it_is_told() {
    let epoch = Proactor::new(&Config::default()).unwrap().now() + Duration::from_secs(1000);
    let sim = SimConfig::default().epoch(epoch);
    let proactor = Proactor::simulated(&Config::default(), &sim);
    assert_eq!(proactor.now(), epoch);
}

#[test]
fn a_park_that_nothing_can_end_is_an_error() {
    let sim = SimConfig::default().patience(Duration::ZERO);
    let mut proactor = Proactor::simulated(&Config::default(), &sim);
    let (near, _far) = proactor.simulation().unwrap().socket_pair().unwrap();
    let handle = proactor.handle();
    let near = handle.adopt(near);
    let error = proactor
        .block_on(handle.recv(&near, vec![0; 8]))
        .unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Deadlock);
    assert!(error.to_string().contains("recv"), "{error}");
}

#[test]
fn another_thread_ends_a_park() {
    let mut proactor = Proactor::simulated(&Config::default(), &SimConfig::default());
    let unparker = proactor.unparker();
    let thread = std::thread::spawn(move || unparker.unpark());
    proactor.park(None).unwrap();
    thread.join().unwrap();
}

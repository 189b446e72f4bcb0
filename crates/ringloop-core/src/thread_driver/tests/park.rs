use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use super::super::{AWAKE, Bed, ThreadDriver};
use crate::driver::Driver;

/// Waits until the driver's thread sleeps: under the lock, `ASLEEP` means it waits.
fn wait_asleep(bed: &Bed) {
    loop {
        let lock = bed.lock();
        if bed.is_asleep() {
            return;
        }
        drop(lock);
        thread::yield_now();
    }
}

fn sleep_of(driver: &ThreadDriver) -> u8 {
    driver.bed.sleep.load(Ordering::Relaxed)
}

#[test]
fn unpark_before_park_ends_it_at_once() {
    let mut driver = ThreadDriver::new();
    driver.unparker().unpark();
    driver.park(None).unwrap();
    assert_eq!(sleep_of(&driver), AWAKE);
}

#[test]
fn unpark_during_park_ends_it() {
    for timeout in [None, Some(Duration::MAX), Some(Duration::from_secs(3600))] {
        let mut driver = ThreadDriver::new();
        let bed = Arc::clone(&driver.bed);
        let unparker = driver.unparker();
        let other = thread::spawn(move || {
            wait_asleep(&bed);
            unparker.unpark();
        });
        driver.park(timeout).unwrap();
        other.join().unwrap();
        assert_eq!(sleep_of(&driver), AWAKE);
    }
}

#[test]
fn unparks_coalesce() {
    let mut driver = ThreadDriver::new();
    let unparker = driver.unparker();
    for _ in 0..3 {
        unparker.clone().unpark();
    }
    driver.park(None).unwrap();
    let before = driver.now();
    driver.park(Some(Duration::from_millis(2))).unwrap();
    assert!(driver.now() - before >= Duration::from_millis(2));
}

#[test]
fn look_without_sleeping_uses_up_an_unpark() {
    let mut driver = ThreadDriver::new();
    driver.park(Some(Duration::ZERO)).unwrap();
    driver.unparker().unpark();
    driver.park(Some(Duration::ZERO)).unwrap();
    assert_eq!(sleep_of(&driver), AWAKE);
}

#[test]
fn timeout_is_never_early() {
    let mut driver = ThreadDriver::new();
    for timeout_us in [1, 10, 100, 1_000, 5_000] {
        let timeout = Duration::from_micros(timeout_us);
        let before = driver.now();
        driver.park(Some(timeout)).unwrap();
        assert!(driver.now() - before >= timeout, "{timeout:?}");
        assert_eq!(sleep_of(&driver), AWAKE);
    }
}

#[test]
fn spurious_wakeups_do_not_end_a_park() {
    let mut driver = ThreadDriver::new();
    let bed = Arc::clone(&driver.bed);
    let unparker = driver.unparker();
    let other = thread::spawn(move || {
        for _ in 0..100 {
            wait_asleep(&bed);
            bed.changed.notify_all();
        }
        unparker.unpark();
    });
    // If a notification ended it, the other thread would find nobody asleep and never end.
    driver.park(None).unwrap();
    other.join().unwrap();
}

#[test]
fn spurious_wakeups_do_not_shorten_a_timeout() {
    let timeout = Duration::from_millis(20);
    let mut driver = ThreadDriver::new();
    let bed = Arc::clone(&driver.bed);
    let before = driver.now();
    let other = thread::spawn(move || {
        wait_asleep(&bed);
        bed.changed.notify_all();
    });
    driver.park(Some(timeout)).unwrap();
    assert!(driver.now() - before >= timeout);
    // Had the other thread come too late for that sleep, it needs another one to see.
    while !other.is_finished() {
        driver.park(Some(timeout)).unwrap();
    }
    other.join().unwrap();
}

#[test]
fn unparker_outlives_its_driver() {
    let driver = ThreadDriver::new();
    let unparker = driver.unparker();
    drop(driver);
    unparker.unpark();
}

#[test]
fn boxed_driver_is_a_driver() {
    let mut driver: Box<dyn Driver> = Box::new(ThreadDriver::new());
    driver.unparker().unpark();
    driver.park(None).unwrap();
    let before = driver.now();
    driver.park(Some(Duration::from_micros(50))).unwrap();
    assert!(driver.now() - before >= Duration::from_micros(50));
}

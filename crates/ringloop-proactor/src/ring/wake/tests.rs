use std::time::Duration;

use ringloop_core::Unpark;

use super::SleepWord;

#[test]
fn a_wake_while_awake_refuses_one_sleep() {
    let word = SleepWord::new().unwrap();
    word.unpark();
    assert!(word.is_notified());
    assert!(!word.fall_asleep());
    assert!(!word.is_notified());
    assert!(word.fall_asleep(), "the notification has been taken");
}

#[test]
fn a_wake_while_awake_does_not_ring_the_bell() {
    let word = SleepWord::new().unwrap();
    word.unpark();
    assert!(!super::poll(&word.eventfd, Some(Duration::ZERO)).unwrap());
}

#[test]
fn a_wake_while_asleep_rings_the_bell_once() {
    let word = SleepWord::new().unwrap();
    assert!(word.fall_asleep());
    word.unpark();
    word.unpark();
    word.sleep(None).unwrap();
    word.wake_up();
    assert!(!word.is_notified());
    assert!(!super::poll(&word.eventfd, Some(Duration::ZERO)).unwrap());
}

#[test]
fn a_notification_can_be_taken_without_a_sleep() {
    let word = SleepWord::new().unwrap();
    word.unpark();
    word.take_notification();
    assert!(!word.is_notified());
    assert!(word.fall_asleep());
}

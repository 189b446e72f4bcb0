use std::time::Duration;

use ringloop_core::Unpark;

use super::poll_devices;
use crate::config::Config;
use crate::proactor::now;
use crate::ring::{Ring, SleepWord};
use crate::stats::ProactorStats;

/// Waits for a device that never answers; returns for how long, and with how many calls.
fn wait(timeout: Duration, word: &SleepWord) -> (Duration, u64) {
    let mut ring = Ring::new(&Config::default().device_polling(true)).unwrap();
    let mut stats = ProactorStats::default();
    let start = now();
    poll_devices(true, Some(timeout), &mut ring, word, &mut stats).unwrap();
    (now() - start, stats.enters)
}

#[test]
fn polling_ends_at_its_deadline() {
    let word = SleepWord::new().unwrap();
    // On a busy machine, all of a wait may pass between two looks.
    let looks_again = (0..50).any(|_| {
        let (waited, calls) = wait(Duration::from_millis(3), &word);
        assert!(waited >= Duration::from_millis(3));
        calls > 1
    });
    assert!(looks_again, "it sleeps");
}

#[test]
fn polling_ends_with_a_wake() {
    let word = SleepWord::new().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| word.unpark());
        let (waited, _) = wait(Duration::from_secs(60), &word);
        assert!(waited < Duration::from_secs(30));
    });
    assert!(word.fall_asleep(), "the notification has been taken");
}

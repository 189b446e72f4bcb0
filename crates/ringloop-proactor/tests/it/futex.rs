#![expect(unsafe_code, reason = "std has no futexes")]

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Outcome, Proactor};

use crate::rig::{poll_once, proactor, settle};

/// `futex(2)` on a private word.
fn futex(word: &AtomicU32, call: i32, value: u32) -> io::Result<i64> {
    let call = call | libc::FUTEX_PRIVATE_FLAG;
    let forever = std::ptr::null::<libc::timespec>();
    // SAFETY: the word is alive during the call, and there is no timeout.
    let result = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), call, value, forever) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}

/// Wakes one waiter that is about to wait, as soon as it does.
fn wake_one(mut wake: impl FnMut() -> u32) {
    while wake() == 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_thread_wakes_the_ring() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let word = Arc::new(AtomicU32::new(5));
    let theirs = Arc::clone(&word);
    let waker = std::thread::spawn(move || {
        wake_one(|| u32::try_from(futex(&theirs, libc::FUTEX_WAKE, 1).unwrap()).unwrap());
    });
    let wait = handle.futex_wait(&word, 5).unwrap();
    proactor.block_on(wait).unwrap().unwrap();
    waker.join().unwrap();
}

#[test]
fn the_ring_wakes_a_thread() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let word = Arc::new(AtomicU32::new(0));
    let theirs = Arc::clone(&word);
    let waiter = std::thread::spawn(move || futex(&theirs, libc::FUTEX_WAIT, 0).unwrap());
    wake_one(|| {
        let wake = handle.futex_wake(&word, u32::MAX).unwrap();
        proactor.block_on(wake).unwrap().unwrap()
    });
    waiter.join().unwrap();
}

#[test]
fn rings_wake_each_other() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let word = Arc::new(AtomicU32::new(0));
    let theirs = Arc::clone(&word);
    let other = std::thread::spawn(move || {
        let mut proactor: Proactor = crate::rig::proactor();
        let handle = proactor.handle();
        for round in 0..100 {
            while theirs.load(Ordering::Acquire) == round {
                let wait = handle.futex_wait(&theirs, round).unwrap();
                if let Err(error) = proactor.block_on(wait).unwrap() {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                }
            }
        }
    });
    let mut woken = 0;
    for round in 0..100 {
        word.store(round + 1, Ordering::Release);
        let wake = handle.futex_wake(&word, 1).unwrap();
        woken += proactor.block_on(wake).unwrap().unwrap();
    }
    other.join().unwrap();
    assert!(woken <= 100);
}

#[test]
fn as_many_are_woken_as_asked_for() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let word = Arc::new(AtomicU32::new(0));
    let mut waits: Vec<_> = (0..5)
        .map(|_| handle.futex_wait(&word, 0).unwrap())
        .collect();
    for wait in &mut waits {
        assert!(poll_once(wait).is_pending());
    }
    let wake = handle.futex_wake(&word, 2).unwrap();
    assert_eq!(proactor.block_on(wake).unwrap().unwrap(), 2);
    proactor.park(Some(Duration::ZERO)).unwrap();
    let ready = waits.iter_mut().map(|wait| poll_once(wait).is_ready());
    assert_eq!(ready.filter(|is_ready| *is_ready).count(), 2);
    let wake = handle.futex_wake(&word, u32::MAX).unwrap();
    assert_eq!(proactor.block_on(wake).unwrap().unwrap(), 3);
    settle(&mut proactor);
}

#[test]
fn a_word_that_has_changed_is_not_waited_for() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let word = Arc::new(AtomicU32::new(1));
    let wait = handle.futex_wait(&word, 0).unwrap();
    let error = proactor.block_on(wait).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    let words = vec![(Arc::clone(&word), 1), (Arc::clone(&word), 0)];
    let wait = handle.futex_waitv(words).unwrap();
    let error = proactor.block_on(wait).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
}

#[test]
fn the_word_lives_as_long_as_the_kernel_may_look() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let word = Arc::new(AtomicU32::new(0));
    let mut wait = handle.futex_wait(&word, 0).unwrap();
    let words = vec![(Arc::clone(&word), 0)];
    let mut waitv = handle.futex_waitv(words).unwrap();
    assert!(poll_once(&mut wait).is_pending());
    assert!(poll_once(&mut waitv).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    drop((wait, waitv));
    assert_eq!(Arc::strong_count(&word), 3, "the kernel has not answered");
    settle(&mut proactor);
    assert_eq!(Arc::strong_count(&word), 1);
}

#[test]
fn a_wait_for_many_words_tells_which() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let words: Vec<_> = (0..128).map(|n| Arc::new(AtomicU32::new(n))).collect();
    let pairs = || {
        let numbered = words.iter().zip(0..);
        numbered.map(|(word, n)| (Arc::clone(word), n)).collect()
    };
    for place in [0, 77, 127] {
        let mut wait = handle.futex_waitv(pairs()).unwrap();
        assert!(poll_once(&mut wait).is_pending());
        let wake = handle.futex_wake(&words[place], 1).unwrap();
        assert_eq!(proactor.block_on(wake).unwrap().unwrap(), 1);
        assert_eq!(proactor.block_on(wait).unwrap().unwrap(), place);
    }
    let mut wait = handle.futex_waitv(pairs()).unwrap();
    assert!(poll_once(&mut wait).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    let Outcome::Cancelled(back) = proactor.block_on(wait.cancel()).unwrap() else {
        panic!("nobody has woken it")
    };
    assert_eq!(back.len(), 128);
    let mut many = pairs();
    many.push((Arc::clone(&words[0]), 0));
    for wrong in [many, Vec::new()] {
        let error = handle.futex_waitv(wrong).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}

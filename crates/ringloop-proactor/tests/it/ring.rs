//! Queues that are too small, places that run out, signals and forgotten polls: what the ring
//! meets in a long life.

#![expect(unsafe_code, reason = "timers of signals have no wrapper in std")]

use std::fs::File;
use std::io::Write;
use std::mem::ManuallyDrop;
use std::os::fd::{FromRawFd, RawFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Config, Fd, Handle, Proactor};

use crate::rig::{alone, alone_as_user, poll_once, proactor, settle, tcp_pair};

#[test]
fn a_turn_submits_ten_times_as_much_as_the_queue_holds() {
    let mut proactor = Proactor::new(&Config::default().ring_entries(16)).unwrap();
    let handle = proactor.handle();
    let mut nops: Vec<_> = (0..160).map(|_| handle.nop()).collect();
    for nop in &mut nops {
        assert!(poll_once(nop).is_pending());
    }
    proactor.park(Some(Duration::ZERO)).unwrap();
    // All of them and the poll of the eventfd, in ten full queues and a rest.
    let stats = proactor.stats();
    assert_eq!((stats.submissions, stats.full_queues), (161, 10));
    settle(&mut proactor);
    assert!(nops.iter_mut().all(|nop| poll_once(nop).is_ready()));
}

#[test]
fn completions_that_find_no_room_are_not_lost() {
    let config = Config::default().ring_entries(4).completion_entries(16);
    let mut proactor = Proactor::new(&config).unwrap();
    let handle = proactor.handle();
    let (fd, mut bell) = pipe(&handle);
    let mut polls: Vec<_> = (0..64)
        .map(|_| handle.poll(&fd, u32::from(POLLIN)))
        .collect();
    for poll in &mut polls {
        assert!(poll_once(poll).is_pending());
    }
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert_eq!(proactor.stats().in_flight, 64);
    // All of them complete at once, four times as many as the queue holds.
    bell.write_all(b"!").unwrap();
    settle(&mut proactor);
    for poll in &mut polls {
        assert!(matches!(poll_once(poll), Poll::Ready(Ok(_))));
    }
    let stats = proactor.stats();
    assert_eq!((stats.live, stats.stale_completions), (0, 0));
}

#[test]
fn no_cancel_is_lost_in_a_tiny_queue() {
    for entries in [1, 2] {
        let config = Config::default().ring_entries(entries);
        let mut proactor = Proactor::new(&config).unwrap();
        let handle = proactor.handle();
        let (fd, _bell) = pipe(&handle);
        let mut polls: Vec<_> = (0..10_000)
            .map(|_| handle.poll(&fd, u32::from(POLLIN)))
            .collect();
        for poll in &mut polls {
            assert!(poll_once(poll).is_pending());
        }
        proactor.park(Some(Duration::ZERO)).unwrap();
        assert_eq!(proactor.stats().in_flight, 10_000);
        drop(polls);
        for _ in 0..20_000 {
            if proactor.stats().live == 0 {
                break;
            }
            proactor.park(Some(Duration::from_secs(1))).unwrap();
        }
        let stats = proactor.stats();
        assert_eq!((stats.live, stats.stale_completions), (0, 0));
    }
}

/// The kernel ends a multishot poll whose completion finds no room. Without a poll, a wake from
/// another thread would not be heard.
#[test]
fn the_poll_for_wakes_comes_back_after_the_kernel_has_ended_it() {
    if !alone("ring::the_poll_for_wakes_comes_back_after_the_kernel_has_ended_it") {
        return;
    }
    let config = Config::default().ring_entries(4).completion_entries(4);
    let mut proactor = Proactor::new(&config).unwrap();
    let handle = proactor.handle();
    let unparker = proactor.unparker();
    proactor.park(Some(Duration::ZERO)).unwrap();
    let polls = proactor.stats().submissions;

    // The eventfd is written, and then four completions fill the queue before its poll has run.
    let mut bell = eventfd();
    bell.write_all(&1_u64.to_ne_bytes()).unwrap();
    let mut nops: Vec<_> = (0..4).map(|_| handle.nop()).collect();
    for nop in &mut nops {
        assert!(poll_once(nop).is_pending());
    }
    settle(&mut proactor);
    proactor.park(Some(Duration::ZERO)).unwrap();
    proactor.park(Some(Duration::ZERO)).unwrap();
    let again = proactor.stats().submissions - polls - 4;
    assert_eq!(again, 1, "the kernel was meant to end the poll");

    // Three times, because each wake may find the loop awake.
    for _ in 0..3 {
        let unparker = unparker.clone();
        let before = proactor.now();
        let waker = std::thread::spawn(move || unparker.unpark());
        proactor.park(Some(Duration::from_secs(20))).unwrap();
        assert!(proactor.now() - before < Duration::from_secs(10));
        waker.join().unwrap();
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
}

#[test]
fn every_ring_of_a_thread_gets_a_place_if_the_others_gave_theirs_back() {
    for _ in 0..40 {
        let proactor = Proactor::new(&Config::default().ring_entries(1)).unwrap();
        assert!(proactor.features().registered_ring);
    }
}

#[test]
fn a_thread_may_have_more_rings_than_places() {
    let config = Config::default().ring_entries(1);
    let mut proactors: Vec<_> = (0..20).map(|_| Proactor::new(&config).unwrap()).collect();
    let with_place = |proactor: &&Proactor| proactor.features().registered_ring;
    assert_eq!(proactors.iter().filter(with_place).count(), 16);
    for proactor in &mut proactors {
        let handle = proactor.handle();
        proactor.block_on(handle.nop()).unwrap().unwrap();
    }
}

#[test]
fn a_ring_that_does_not_fit_is_made_smaller() {
    const NAME: &str = "ring::a_ring_that_does_not_fit_is_made_smaller";
    const WANTED: u32 = 32_768;
    if !alone_as_user(NAME, 65_000, 256 << 10) {
        return;
    }
    let mut proactor = Proactor::new(&Config::default().ring_entries(WANTED)).unwrap();
    let features = proactor.features();
    // Older kernels do not count rings.
    let is_counted = features.submission_entries < WANTED;
    assert!(!is_counted || (32..=1024).contains(&features.submission_entries));
    assert!(features.completion_entries >= features.submission_entries);
    let handle = proactor.handle();
    proactor.block_on(handle.nop()).unwrap().unwrap();
}

/// The kernel gives the memory of a closed ring back late, so rings made in turn add up.
#[test]
fn proactors_may_come_and_go_within_a_limit() {
    const NAME: &str = "ring::proactors_may_come_and_go_within_a_limit";
    // Room for a few rings of the smallest size.
    if !alone_as_user(NAME, 65_001, 64 << 10) {
        return;
    }
    for _ in 0..100 {
        let mut proactor = Proactor::new(&Config::default().ring_entries(32)).unwrap();
        let handle = proactor.handle();
        proactor.block_on(handle.nop()).unwrap().unwrap();
    }
}

#[test]
fn signals_neither_end_a_wait_nor_move_its_deadline() {
    if !alone("ring::signals_neither_end_a_wait_nor_move_its_deadline") {
        return;
    }
    let mut proactor = proactor();
    let handle = proactor.handle();
    proactor.park(Some(Duration::ZERO)).unwrap();
    interrupt_every_millisecond();
    for _ in 0..5 {
        let start = proactor.now();
        let mut parks = 0;
        loop {
            let left = Duration::from_millis(20).saturating_sub(proactor.now() - start);
            if left.is_zero() {
                break;
            }
            proactor.park(Some(left)).unwrap();
            parks += 1;
        }
        assert!(parks < 1000, "a park that does not wait");
    }
    assert!(SIGNALS.load(Ordering::Relaxed) > 0, "signals were meant");
    let (near, mut far) = tcp_pair();
    let fd = handle.adopt(near);
    let peer = std::thread::spawn(move || {
        while SIGNALS.load(Ordering::Relaxed) < 200 {
            std::thread::yield_now();
        }
        far.write_all(b"at last").unwrap();
    });
    let (count, bytes) = proactor
        .block_on(handle.recv(&fd, vec![0; 16]))
        .unwrap()
        .unwrap();
    assert_eq!(&bytes[..count], b"at last");
    peer.join().unwrap();
}

/// A pipe: its reading end in the care of the proactor, and its writing end.
fn pipe(handle: &Handle) -> (Fd, std::io::PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    (handle.adopt(reader), writer)
}

/// The eventfd of the only proactor in this process.
fn eventfd() -> ManuallyDrop<File> {
    let is_eventfd = |fd: &RawFd| {
        std::fs::read_link(format!("/proc/self/fd/{fd}"))
            .is_ok_and(|link| link.as_os_str() == "anon_inode:[eventfd]")
    };
    let fd = (0..64).find(is_eventfd).expect("the proactor has one");
    // SAFETY: the proactor keeps it open, and nobody closes it here.
    ManuallyDrop::new(unsafe { File::from_raw_fd(fd) })
}

static SIGNALS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count(_signal: libc::c_int) {
    SIGNALS.fetch_add(1, Ordering::Relaxed);
}

fn interrupt_every_millisecond() {
    let handler: extern "C" fn(libc::c_int) = count;
    // SAFETY: the handler does nothing but add to an atomic.
    unsafe { libc::signal(libc::SIGALRM, handler as libc::sighandler_t) };
    let millisecond = libc::timeval {
        tv_sec: 0,
        tv_usec: 1000,
    };
    let timer = libc::itimerval {
        it_interval: millisecond,
        it_value: millisecond,
    };
    // SAFETY: the kernel reads the timer, a live local, and writes nothing.
    let set = unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
    assert_eq!(set, 0);
}

const POLLIN: u16 = 0x001;

//! What a proactor can be made with, and what the ring then has.

use std::fs::File;
use std::io::{Read, Write};
use std::sync::mpsc;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Config, Link, Proactor, Receiver, Sender, SetupErrorKind};

use crate::rig::{alone, open_fds, poll_once, settle, tcp_pair};

#[test]
fn the_completion_queue_has_the_size_that_was_asked_for() {
    let check = |config: Config, entries: (u32, u32)| {
        let features = Proactor::new(&config).unwrap().features();
        let made = (features.submission_entries, features.completion_entries);
        assert_eq!(made, entries);
    };
    let config = Config::default().ring_entries(64);
    check(config.clone(), (64, 256));
    check(config.clone().completion_entries(1000), (64, 1024));
    check(config.completion_entries(8), (64, 64));
    check(Config::default().ring_entries(1), (1, 4));
}

#[test]
fn a_ring_may_do_without_a_place_in_the_table_of_its_thread() {
    let mut proactor = Proactor::new(&Config::default().register_ring(false)).unwrap();
    assert!(!proactor.features().registered_ring);
    let handle = proactor.handle();
    proactor.block_on(handle.nop()).unwrap().unwrap();
}

#[test]
fn the_limits_of_workers_are_those_of_the_thread() {
    let limits = || {
        let mut limits = [0, 0];
        let ring = io_uring::IoUring::new(1).unwrap();
        let submitter = ring.submitter();
        submitter.register_iowq_max_workers(&mut limits).unwrap();
        limits
    };
    drop(Proactor::new(&Config::default()).unwrap());
    assert_eq!(limits(), [64, 512]);
    drop(Proactor::new(&Config::default().bounded_workers(3).unbounded_workers(0)).unwrap());
    assert_eq!(limits(), [3, 1]);
}

#[test]
fn the_debug_text_says_what_the_ring_has() {
    let proactor = Proactor::new(&Config::default()).unwrap();
    let text = format!("{proactor:?}");
    assert!(text.contains("registered_ring: true"), "{text}");
    assert!(proactor.supports(io_uring::opcode::Nop::CODE));
    assert!(!proactor.supports(u8::MAX));
}

#[test]
fn options_that_exclude_each_other_are_refused_with_a_remedy() {
    let check = |config: Config, remedy: &str| {
        let error = Proactor::new(&config).unwrap_err();
        assert!(matches!(error.kind(), SetupErrorKind::Options { .. }));
        assert!(error.to_string().contains(remedy), "{error}");
    };
    let polled = Config::default().kernel_polling(Duration::from_millis(1));
    check(polled.clone().device_polling(true), "choose one of them");
    let nowhere = Config::default().kernel_polling_on(Duration::from_millis(1), 1 << 20);
    check(nowhere, "choose one that this process may use");
    let first = Proactor::new(&polled).unwrap();
    let shared = Config::default()
        .share_workers_with(&first.handle())
        .unwrap();
    check(shared, "ask for kernel polling here too");
}

#[test]
fn a_proactor_without_a_polling_thread_has_none_to_share() {
    let mut first = Proactor::new(&Config::default()).unwrap();
    let share = |first: &Proactor| Config::default().share_workers_with(&first.handle());
    let error = share(&first).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    first.shut_down();
    assert!(share(&first).is_err());
}

#[test]
fn a_polling_thread_that_is_awake_is_not_called() {
    let config = Config::default().kernel_polling(Duration::from_secs(10));
    let mut proactor = Proactor::new(&config).unwrap();
    let handle = proactor.handle();
    // The thread sleeps at first, until something comes.
    proactor.block_on(handle.nop()).unwrap().unwrap();
    let before = proactor.stats().enters;
    for _ in 0..10 {
        let mut nop = handle.nop();
        while poll_once(&mut nop).is_pending() {
            proactor.park(Some(Duration::ZERO)).unwrap();
            std::thread::yield_now();
        }
    }
    assert_eq!(proactor.stats().enters, before);
}

#[test]
fn a_polling_thread_that_sleeps_is_woken_by_the_next_submission() {
    let config = Config::default().kernel_polling(Duration::ZERO);
    let mut proactor = Proactor::new(&config).unwrap();
    let handle = proactor.handle();
    for _ in 0..10 {
        // Time enough for the thread to fall asleep, which it does after a millisecond.
        proactor.park(Some(Duration::from_millis(5))).unwrap();
        let mut nop = handle.nop();
        let start = proactor.now();
        while poll_once(&mut nop).is_pending() {
            assert!(proactor.now() - start < Duration::from_secs(10));
            // A wait would wake the thread too.
            proactor.park(Some(Duration::ZERO)).unwrap();
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_full_queue_waits_for_the_polling_thread() {
    let config = Config::default()
        .ring_entries(2)
        .kernel_polling(Duration::from_millis(50));
    let mut proactor = Proactor::new(&config).unwrap();
    let handle = proactor.handle();
    let mut nops: Vec<_> = (0..1000).map(|_| handle.nop()).collect();
    for nop in &mut nops {
        assert!(poll_once(nop).is_pending());
    }
    proactor.park(Some(Duration::ZERO)).unwrap();
    // All of them and the poll of the eventfd.
    assert_eq!(proactor.stats().submissions, 1001);
    settle(&mut proactor);
    assert!(nops.iter_mut().all(|nop| poll_once(nop).is_ready()));
}

#[test]
fn streams_and_wakes_work_with_a_polling_thread() {
    let config = Config::default().kernel_polling(Duration::from_millis(5));
    let mut proactor = Proactor::new(&config).unwrap();
    echo(&mut proactor);
    wake_from_a_thread(&mut proactor);
    assert_eq!(proactor.shut_down(), 0);
}

#[test]
fn proactors_share_a_polling_thread() {
    if !alone("config::proactors_share_a_polling_thread") {
        return;
    }
    let polled = Config::default().kernel_polling(Duration::from_millis(5));
    let first = Proactor::new(&polled).unwrap();
    let shared = polled.clone().share_workers_with(&first.handle()).unwrap();
    let mut second = Proactor::new(&shared).unwrap();
    echo(&mut second);
    assert_eq!(polling_threads(), 1);
    let mut third = Proactor::new(&polled).unwrap();
    echo(&mut third);
    assert_eq!(polling_threads(), 2);
    drop(first);
    echo(&mut second);
    drop(third);
}

/// A shared thread takes eight entries at a time, and the kernel ends a chain there.
#[test]
fn a_shared_polling_thread_cuts_no_chain() {
    let polled = Config::default().kernel_polling(Duration::ZERO);
    let mut first = Proactor::new(&polled).unwrap();
    let shared = polled.share_workers_with(&first.handle()).unwrap();
    let mut second = Proactor::new(&shared).unwrap();
    for proactor in [&mut first, &mut second] {
        let handle = proactor.handle();
        let directory = handle.adopt(File::open("/").unwrap());
        for before in 0..17 {
            // The thread falls asleep meanwhile, and then finds all at once.
            proactor.park(Some(Duration::from_millis(3))).unwrap();
            let mut nops: Vec<_> = (0..before).map(|_| handle.nop()).collect();
            assert!(nops.iter_mut().all(|nop| poll_once(nop).is_pending()));
            let fails = handle.read(&directory, vec![0; 8], 0);
            let chain = proactor.block_on(fails.then(handle.nop()));
            let (read, nop) = chain.unwrap();
            assert!(read.is_err());
            assert_eq!(nop.unwrap_err().raw_os_error(), Some(libc::ECANCELED));
            settle(proactor);
        }
    }
}

#[test]
fn a_ring_of_polled_devices_keeps_deadlines_and_is_woken() {
    let mut proactor = Proactor::new(&Config::default().device_polling(true)).unwrap();
    assert!(proactor.features().device_polling);
    let handle = proactor.handle();
    proactor.block_on(handle.nop()).unwrap().unwrap();
    // The wake of the nop, which nobody waits for.
    proactor.park(Some(Duration::ZERO)).unwrap();
    let before = proactor.now();
    proactor.park(Some(Duration::from_millis(5))).unwrap();
    assert!(proactor.now() - before >= Duration::from_millis(5));
    wake_from_a_thread(&mut proactor);
    let enters = proactor.stats().enters;
    proactor.unparker().unpark();
    proactor.park(None).unwrap();
    assert!(proactor.stats().enters <= enters + 1);
}

#[test]
fn a_ring_of_polled_devices_gives_back_what_it_cannot_do_and_leaks_nothing() {
    if !alone("config::a_ring_of_polled_devices_gives_back_what_it_cannot_do_and_leaks_nothing") {
        return;
    }
    let before = open_fds();
    let mut proactor = Proactor::new(&Config::default().device_polling(true)).unwrap();
    let handle = proactor.handle();
    // Not opened for direct access, so no device is polled for it.
    let file = handle.adopt(File::open("/proc/self/exe").unwrap());
    let error = proactor.block_on(handle.read(&file, vec![7_u8; 16], 0));
    let error = error.unwrap().unwrap_err();
    let errno = std::io::Error::from(error).raw_os_error();
    assert!(matches!(errno, Some(libc::EINVAL | libc::EOPNOTSUPP)));
    proactor.block_on(file.close()).unwrap().unwrap();

    let (near, far) = tcp_pair();
    let socket = handle.adopt(near);
    let refused = proactor.block_on(handle.recv(&socket, vec![0; 16]));
    assert!(refused.unwrap().is_err());
    drop(socket);
    drop(far);
    drop(proactor);
    drop(handle);
    assert_eq!(open_fds(), before);
}

#[test]
fn a_spinning_loop_makes_no_call_until_it_sleeps() {
    let spin = |spin| {
        let mut proactor = Proactor::new(&Config::default().spin(spin)).unwrap();
        proactor.park(Some(Duration::ZERO)).unwrap();
        let before = (proactor.stats().enters, proactor.now());
        proactor.park(Some(Duration::from_millis(10))).unwrap();
        assert!(proactor.now() - before.1 >= Duration::from_millis(10));
        proactor.stats().enters - before.0
    };
    assert_eq!(spin(Duration::from_secs(60)), 0);
    assert_eq!(spin(Duration::from_micros(10)), 1);
}

#[test]
fn a_spinning_loop_sees_completions_and_wakes() {
    for spin in [Duration::from_micros(20), Duration::from_secs(60)] {
        let mut proactor = Proactor::new(&Config::default().spin(spin)).unwrap();
        echo(&mut proactor);
        wake_from_a_thread(&mut proactor);
        assert_eq!(proactor.shut_down(), 0);
    }
}

#[test]
fn a_ring_of_polled_devices_closes_direct_descriptors_too() {
    let config = Config::default().device_polling(true);
    let mut proactor = Proactor::new(&config).unwrap();
    let handle = proactor.handle();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let plain = handle.adopt(reader);
    let direct = proactor.block_on(handle.register(&plain).unwrap());
    let direct = direct.unwrap().unwrap();
    proactor.block_on(plain.close()).unwrap().unwrap();
    writer.write_all(b"held by the table").unwrap();
    proactor.block_on(direct.close()).unwrap().unwrap();
    let error = writer.write_all(b"held by nobody").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    let error = handle.inbox().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::Unsupported);
}

/// A thread unparks after each word that it gets, and one that it gets inside of a park.
pub(crate) fn wake_from_a_thread(proactor: &mut Proactor) {
    let unparker = proactor.unparker();
    let (go, gone) = mpsc::channel();
    let waker = std::thread::spawn(move || {
        for () in gone {
            unparker.unpark();
        }
    });
    for _ in 0..100 {
        let before = proactor.now();
        go.send(()).unwrap();
        // A park may return for nothing, but the time is not what ends it.
        proactor.park(Some(Duration::from_secs(20))).unwrap();
        assert!(proactor.now() - before < Duration::from_secs(10));
    }
    drop(go);
    waker.join().unwrap();
}

pub(crate) fn echo(proactor: &mut Proactor) {
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let client = std::thread::spawn(move || {
        let mut reply = [0; 5];
        for _ in 0..20 {
            far.write_all(b"hello").unwrap();
            far.read_exact(&mut reply).unwrap();
            assert_eq!(&reply, b"hello");
        }
    });
    let fd = handle.adopt(near);
    let server = async {
        let mut receiver = Receiver::new(fd.clone());
        let mut sender = Sender::new(fd);
        loop {
            let chunk = receiver.read_chunk().await?;
            if chunk.is_empty() {
                return Ok::<(), std::io::Error>(());
            }
            sender.write_all(&chunk).await?;
        }
    };
    proactor.block_on(server).unwrap().unwrap();
    client.join().unwrap();
    // What is left is the close of the connection.
    let mut nop = handle.nop();
    assert!(poll_once(&mut nop).is_pending());
    settle(proactor);
}

/// Threads of the kernel that poll for this process.
fn polling_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let is_polling = |comm: &str| comm.starts_with("iou-sqp");
    tasks
        .filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok())
        .filter(|comm| is_polling(comm))
        .count()
}

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Acceptor, Config, Fd, IoBufMut, Proactor, Receiver, Room, Sender};

use crate::rig::{alone, open_fds, poll_once, proactor, settle, tcp_pair};

/// Queues bytes until neither the queue nor the kernel takes more; returns how many it were.
fn stuff(proactor: &mut Proactor, sender: &mut Sender) -> usize {
    let piece = vec![7; 100_000];
    let mut queued = 0;
    let mut refused = 0;
    while refused < 100 {
        let mut write = std::future::poll_fn(|cx| sender.poll_write(cx, &piece));
        match poll_once(&mut write) {
            Poll::Ready(count) => queued += count.unwrap(),
            Poll::Pending => refused += 1,
        }
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    queued
}

#[test]
fn a_sender_that_is_dropped_in_the_middle_of_a_send_goes_on_to_the_end() {
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    let mut sender = Sender::new(proactor.handle().adopt(near));
    let queued = stuff(&mut proactor, &mut sender);
    assert!(sender.queued_bytes() > 0, "the peer does not read yet");
    drop(sender);
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        far.read_to_end(&mut bytes).map(|_| bytes.len())
    });
    // Between two sends nothing is in flight, but the sender is there still.
    for _ in 0..100_000 {
        if proactor.stats().live == 0 {
            break;
        }
        proactor.park(Some(Duration::from_secs(1))).unwrap();
    }
    assert_eq!(proactor.stats().live, 0);
    // The descriptor is closed only now, and the peer sees the end.
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert_eq!(reader.join().unwrap().unwrap(), queued);
}

#[test]
fn a_sender_that_cannot_finish_is_ended_by_the_shutdown() {
    for parks in [true, false] {
        let config = Config::default().linger(Duration::ZERO);
        let mut proactor = Proactor::new(&config).unwrap();
        let (near, mut far) = tcp_pair();
        let mut sender = Sender::new(proactor.handle().adopt(near));
        if parks {
            stuff(&mut proactor, &mut sender);
        } else {
            // Staged, and never submitted.
            assert!(poll_once(&mut Box::pin(sender.write_all(b"unsent"))).is_ready());
        }
        drop(sender);
        assert_eq!(proactor.shut_down(), 0);
        let stats = proactor.stats();
        assert_eq!((stats.live, stats.in_flight), (0, 0));
        // Closed: the peer reads to an end, whichever that is.
        far.set_nonblocking(true).unwrap();
        let mut bytes = Vec::new();
        let end = far.read_to_end(&mut bytes).map_err(|error| error.kind());
        assert_ne!(end, Err(std::io::ErrorKind::WouldBlock));
    }
}

#[test]
fn what_was_staged_and_dropped_does_not_happen_in_the_name_of_its_successor() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    proactor.block_on(handle.nop()).unwrap().unwrap();
    let missing = "/nowhere/at/all";
    let mut dropped = handle.open(missing, libc::O_RDONLY, 0).unwrap();
    assert!(poll_once(&mut dropped).is_pending());
    drop(dropped);
    // It gets the same slot.
    let mut nop = handle.nop();
    assert!(poll_once(&mut nop).is_pending());
    let before = proactor.stats().submissions;
    proactor.block_on(nop).unwrap().unwrap();
    assert_eq!(proactor.stats().submissions - before, 1);
}

#[test]
fn a_service_that_was_dropped_while_staged_is_not_started_in_the_name_of_its_successor() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    proactor.block_on(handle.nop()).unwrap().unwrap();
    let (near, _far) = tcp_pair();
    let near = handle.adopt(near);
    let mut receiver = Receiver::new(near.clone());
    assert!(poll_once(&mut Box::pin(receiver.read(&mut [0; 1]))).is_pending());
    drop(receiver);
    let resting = Receiver::new(near);
    let before = proactor.stats().submissions;
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert_eq!(proactor.stats().submissions, before);
    drop(resting);
}

#[test]
fn a_descriptor_that_comes_after_its_future_was_dropped_is_closed() {
    if !alone("reuse::a_descriptor_that_comes_after_its_future_was_dropped_is_closed") {
        return;
    }
    let mut proactor = proactor();
    proactor.block_on(proactor.handle().nop()).unwrap().unwrap();
    let before = open_fds();
    let path = std::env::temp_dir().join(format!("ringloop-reuse-{}", std::process::id()));
    for _ in 0..20 {
        // What may create a file is left to a worker, so the completion is not there at once.
        let flags = libc::O_RDWR | libc::O_CREAT;
        let mut open = proactor.handle().open(&path, flags, 0o600).unwrap();
        assert!(poll_once(&mut open).is_pending());
        proactor.park(Some(Duration::ZERO)).unwrap();
        while !path.exists() {
            std::thread::yield_now();
        }
        // Too late to end it: the descriptor is on its way.
        drop(open);
        settle(&mut proactor);
        proactor.park(Some(Duration::ZERO)).unwrap();
        std::fs::remove_file(&path).unwrap();
    }
    assert_eq!(open_fds(), before);
    assert_eq!(proactor.stats().live, 0);
}

#[test]
fn a_descriptor_that_outlives_its_proactor_is_closed_and_whoever_asked_is_told() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    let same = near.clone();
    assert_eq!(proactor.shut_down(), 0);
    let mut close = near.close();
    assert!(poll_once(&mut close).is_pending(), "there is one more user");
    drop(same);
    assert!(matches!(poll_once(&mut close), Poll::Ready(Ok(()))));
    assert_eq!(far.read(&mut [0; 1]).unwrap(), 0, "the peer sees the end");
    drop(proactor);
}

#[test]
fn every_accept_after_the_shutdown_says_so() {
    let mut proactor = proactor();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let acceptor = Acceptor::new(proactor.handle().adopt(listener));
    assert_eq!(proactor.shut_down(), 0);
    for _ in 0..3 {
        let Poll::Ready(Err(error)) = poll_once(&mut acceptor.accept()) else {
            panic!("it cannot wait")
        };
        assert!(error.to_string().contains("shut down"), "{error}");
    }
}

/// One entry serves any number of messages as long as there are shared buffers; after that, each
/// message costs one. So the entries tell whether buffers are missing.
fn entries_of_messages(proactor: &mut Proactor, count: u64) -> u64 {
    let (near, mut far) = UnixStream::pair().unwrap();
    let mut receiver = Receiver::new(proactor.handle().adopt(near));
    let before = proactor.stats().submissions;
    for _ in 0..count {
        let mut buf = [0; 8];
        assert!(poll_once(&mut Box::pin(receiver.read(&mut buf))).is_pending());
        proactor.park(Some(Duration::ZERO)).unwrap();
        far.write_all(b"message").unwrap();
        assert_eq!(
            proactor.block_on(receiver.read(&mut buf)).unwrap().unwrap(),
            7
        );
    }
    proactor.stats().submissions - before
}

/// The buffers of one pool, used up many times over in the way that `waste` does.
fn comes_back(waste: impl Fn(&mut Proactor, Receiver, UnixStream)) {
    let config = Config::default()
        .ring_entries(1)
        .buffer_count(8)
        .buffer_len_bytes(64);
    let mut proactor = Proactor::new(&config).unwrap();
    proactor.block_on(proactor.handle().nop()).unwrap().unwrap();
    for _ in 0..40 {
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut receiver = Receiver::new(proactor.handle().adopt(near));
        assert!(poll_once(&mut Box::pin(receiver.read(&mut [0; 1]))).is_pending());
        proactor.park(Some(Duration::ZERO)).unwrap();
        far.write_all(&[1; 100]).unwrap();
        waste(&mut proactor, receiver, far);
        settle(&mut proactor);
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(proactor.stats().live, 0);
    assert_eq!(entries_of_messages(&mut proactor, 20), 1);
}

#[test]
fn buffers_of_read_bytes_come_back() {
    comes_back(|proactor, mut receiver, _far| {
        let mut buf = [0; 100];
        let mut received = 0;
        while received < 100 {
            received += proactor.block_on(receiver.read(&mut buf)).unwrap().unwrap();
        }
    });
}

#[test]
fn buffers_of_chunks_come_back() {
    comes_back(|proactor, mut receiver, _far| {
        let chunk = proactor.block_on(receiver.read_chunk()).unwrap().unwrap();
        assert!(!chunk.is_empty());
    });
}

#[test]
fn buffers_of_bytes_that_nobody_reads_come_back() {
    comes_back(|proactor, receiver, _far| {
        while format!("{receiver:?}").contains("queued_bytes: 0") {
            proactor.park(None).unwrap();
        }
    });
}

#[test]
fn buffers_of_bytes_that_arrive_after_the_receiver_was_dropped_come_back() {
    comes_back(|proactor, receiver, _far| {
        let handle = proactor.handle();
        let mut nops = [handle.nop(), handle.nop()];
        for nop in &mut nops {
            assert!(poll_once(nop).is_pending());
        }
        drop(receiver);
        // The queue of one entry is full before the cancel gets in, so the bytes come first.
        proactor.park(Some(Duration::ZERO)).unwrap();
    });
}

#[test]
fn buffers_of_streams_that_ended_come_back() {
    comes_back(|proactor, mut receiver, far| {
        far.shutdown(Shutdown::Write).unwrap();
        let mut buf = [0; 100];
        while proactor.block_on(receiver.read(&mut buf)).unwrap().unwrap() > 0 {}
    });
}

#[test]
fn buffers_of_streams_that_failed_come_back() {
    comes_back(|proactor, mut receiver, far| {
        // Unread data at the closing end makes the kernel send a reset.
        let near = receiver.fd().plain().unwrap().try_clone_to_owned().unwrap();
        UnixStream::from(near).write_all(b"unread").unwrap();
        drop(far);
        let mut buf = [0; 100];
        while proactor
            .block_on(receiver.read(&mut buf))
            .unwrap()
            .is_ok_and(|count| count > 0)
        {}
    });
}

#[test]
fn a_stream_at_its_end_is_not_received_from_again() {
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    let near: Fd = proactor.handle().adopt(near);
    let mut receiver = Receiver::new(near);
    assert!(poll_once(&mut Box::pin(receiver.read(&mut [0; 1]))).is_pending());
    far.write_all(b"bye").unwrap();
    drop(far);
    while !format!("{receiver:?}").contains("Closed") {
        proactor.park(None).unwrap();
    }
    let before = proactor.stats().submissions;
    for expected in [3, 0, 0] {
        let mut buf = [0; 8];
        assert_eq!(
            proactor.block_on(receiver.read(&mut buf)).unwrap().unwrap(),
            expected
        );
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(proactor.stats().submissions, before);
}

/// A buffer that shows whether it is there still.
struct Marked {
    bytes: Vec<u8>,
    _mark: Rc<()>,
}

impl IoBufMut for Marked {
    fn room(&mut self) -> Room<'_> {
        self.bytes.room()
    }

    #[expect(unsafe_code, reason = "the trait's method is unsafe to call")]
    unsafe fn set_filled(&mut self, _len: usize) {}
}

#[test]
fn what_does_not_end_in_time_is_counted_and_forgotten() {
    let config = Config::default().drain(Duration::ZERO);
    let mut proactor = Proactor::new(&config).unwrap();
    let handle = proactor.handle();
    let (near, _far) = tcp_pair();
    let near = handle.adopt(near);
    let mark = Rc::new(());
    let buffer = Marked {
        bytes: vec![0; 10],
        _mark: Rc::clone(&mark),
    };
    let mut recv = handle.recv(&near, buffer);
    assert!(poll_once(&mut recv).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert_eq!(proactor.shut_down(), 1);
    assert!(poll_once(&mut recv).is_pending());
    drop((recv, near, handle, proactor));
    assert_eq!(Rc::strong_count(&mark), 2, "the kernel may still write it");
}

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Acceptor, Config, Proactor, Receiver};

use crate::rig::{alone, poll_once, proactor, tcp_pair};

/// The number after `name: ` in a debug print.
fn field(of: &impl std::fmt::Debug, name: &str) -> usize {
    let text = format!("{of:?}");
    let (_, rest) = text.split_once(&format!("{name}: ")).unwrap();
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
    rest[..end].parse().unwrap()
}

/// Writes until the peer's queue and the kernel take no more; returns how much that was.
fn flood(proactor: &mut Proactor, far: &mut TcpStream, piece: &[u8]) -> usize {
    let mut sent = 0;
    let mut refused = 0;
    while refused < 100 {
        match far.write(piece) {
            Ok(count) => sent += count,
            Err(_) => refused += 1,
        }
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    sent
}

/// Sees to it that the kernel receives, also when it has just been asked to stop.
fn wait_in_vain(proactor: &mut Proactor, receiver: &mut Receiver) {
    for _ in 0..10 {
        assert!(poll_once(&mut Box::pin(receiver.read(&mut [0; 1]))).is_pending());
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
}

fn read_all(proactor: &mut Proactor, receiver: &mut Receiver, count: usize) {
    let mut received = 0;
    while received < count {
        let chunk = proactor.block_on(receiver.read_chunk()).unwrap().unwrap();
        received += chunk.len();
    }
    assert_eq!(received, count);
}

#[test]
fn a_receive_queue_is_bounded_by_bytes_every_time() {
    // Few large buffers: the bytes are what fills the queue.
    let config = Config::default()
        .buffer_count(512)
        .buffer_len_bytes(64 * 1024);
    let mut proactor = Proactor::new(&config).unwrap();
    let (near, mut far) = tcp_pair();
    far.set_nonblocking(true).unwrap();
    let mut receiver = Receiver::new(proactor.handle().adopt(near));
    for _ in 0..3 {
        wait_in_vain(&mut proactor, &mut receiver);
        let sent = flood(&mut proactor, &mut far, &[1; 60_000]);
        let held = field(&receiver, "queued_bytes");
        assert!(held >= 256 * 1024, "{held} bytes fill the queue");
        assert!(held < 1024 * 1024, "{held} bytes are more than a queue");
        read_all(&mut proactor, &mut receiver, sent);
        assert_eq!(field(&receiver, "queued_bytes"), 0);
    }
}

#[test]
fn a_receive_queue_is_bounded_by_pieces_every_time() {
    // An eighth of the buffers is enough for one stream.
    let config = Config::default().buffer_count(256).buffer_len_bytes(64);
    let mut proactor = Proactor::new(&config).unwrap();
    let (near, mut far) = tcp_pair();
    far.set_nonblocking(true).unwrap();
    far.set_nodelay(true).unwrap();
    let mut receiver = Receiver::new(proactor.handle().adopt(near));
    for _ in 0..3 {
        wait_in_vain(&mut proactor, &mut receiver);
        let mut sent = 0;
        for _ in 0..200 {
            sent += far.write(&[1; 64]).unwrap();
            proactor.park(Some(Duration::ZERO)).unwrap();
        }
        let held = field(&receiver, "queued_bytes");
        assert!(
            held >= 32 * 64,
            "{held} bytes are less than the pieces allowed"
        );
        assert!(held <= 100 * 64, "{held} bytes are too many buffers");
        read_all(&mut proactor, &mut receiver, sent);
    }
}

#[test]
fn a_stream_that_finds_no_shared_buffer_is_served_all_the_same() {
    let config = Config::default().buffer_count(4).buffer_len_bytes(64);
    let mut proactor = Proactor::new(&config).unwrap();
    let mut held = Vec::new();
    let mut streams = Vec::new();
    for _ in 0..20 {
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut receiver = Receiver::new(proactor.handle().adopt(near));
        far.write_all(&[3; 64]).unwrap();
        // Lent for as long as the test runs.
        let chunk = proactor.block_on(receiver.read_chunk()).unwrap().unwrap();
        assert_eq!(chunk[..], [3; 64]);
        held.push(chunk);
        streams.push((receiver, far));
    }
    let before = proactor.stats().submissions;
    for _ in 0..10 {
        proactor.park(Some(Duration::from_millis(1))).unwrap();
    }
    assert!(
        proactor.stats().submissions - before <= 20,
        "an empty pool is not tried again and again"
    );
}

#[test]
fn an_accept_queue_is_bounded_every_time() {
    let mut proactor = proactor();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    socket2::SockRef::from(&listener).listen(2048).unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = Acceptor::new(proactor.handle().adopt(listener));
    for _ in 0..2 {
        drop(poll_once(&mut acceptor.accept()));
        let mut clients = Vec::new();
        for _ in 0..300 {
            clients.push(TcpStream::connect(address).unwrap());
            proactor.park(Some(Duration::ZERO)).unwrap();
        }
        let queued = field(&acceptor, "queued");
        assert!(queued >= 256, "{queued} connections fill the queue");
        assert!(queued <= 260, "{queued} connections are more than a queue");
        for _ in &clients {
            drop(proactor.block_on(acceptor.accept()).unwrap().unwrap());
        }
    }
}

#[test]
fn accepted_connections_are_closed_on_exec() {
    let mut proactor = proactor();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let listener = proactor.handle().adopt(listener);
    let _clients = [address; 2].map(|address| TcpStream::connect(address).unwrap());
    let once = proactor.handle().accept(&listener);
    let once = proactor.block_on(once).unwrap().unwrap();
    let acceptor = Acceptor::new(listener);
    let queued = proactor.block_on(acceptor.accept()).unwrap().unwrap();
    for connection in [once, queued] {
        let info = format!("/proc/self/fdinfo/{}", connection.as_raw_fd());
        let info = std::fs::read_to_string(info).unwrap();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = i32::from_str_radix(flags.unwrap().trim(), 8).unwrap();
        assert_ne!(flags & libc::O_CLOEXEC, 0);
    }
}

#[test]
fn completions_are_seen_by_parks_that_do_not_wait() {
    let mut proactor = Proactor::new(&Config::default().ring_entries(1)).unwrap();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    let mut poll = handle.poll(&near, 1);
    assert!(poll_once(&mut poll).is_pending());
    // More than the completion queue holds.
    let mut nops: Vec<_> = (0..1000).map(|_| handle.nop()).collect();
    for nop in &mut nops {
        assert!(poll_once(nop).is_pending());
    }
    proactor.park(Some(Duration::ZERO)).unwrap();
    far.write_all(b"x").unwrap();
    for _ in 0..10_000 {
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(proactor.stats().in_flight, 0, "{:?}", proactor.stats());
    assert!(poll_once(&mut poll).is_ready());
}

#[test]
fn the_receive_buffers_are_freed_with_the_proactor() {
    if !alone("bounds::the_receive_buffers_are_freed_with_the_proactor") {
        return;
    }
    let pages = || -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        statm.split(' ').next().unwrap().parse().unwrap()
    };
    let round = || {
        let mut proactor = proactor();
        let (near, mut far) = UnixStream::pair().unwrap();
        far.write_all(b"x").unwrap();
        let mut receiver = Receiver::new(proactor.handle().adopt(near));
        drop(proactor.block_on(receiver.read_chunk()).unwrap().unwrap());
    };
    round();
    let before = pages();
    for _ in 0..80 {
        round();
    }
    // A pool is 8 MiB; eighty of them would be 160 thousand pages. AddressSanitizer keeps 256 MiB of
    // what is freed, 65 thousand pages.
    assert!(pages() < before + 100_000);
}

#[test]
fn a_ring_is_not_inherited_by_a_fork() {
    let _proactor = proactor();
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mut lines = maps.lines();
    let mut rings = 0;
    while let Some(line) = lines.next() {
        if !line.contains("[io_uring]") {
            continue;
        }
        let flags = lines.find(|line| line.starts_with("VmFlags:")).unwrap();
        assert!(flags.contains(" dc"), "{line} {flags}");
        rings += 1;
    }
    assert!(rings > 0, "there is a ring");
}

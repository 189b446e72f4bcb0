use std::future::poll_fn;
use std::io::Write;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Config, Proactor, Receiver};

use crate::rig::{poll_once, proactor, settle, tcp_pair};

/// Bytes whose order shows: position modulo a prime.
fn numbered(from: usize, len: usize) -> Vec<u8> {
    (from..from + len)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect()
}

#[test]
fn every_byte_arrives_once_in_order_however_reads_are_dropped() {
    const TOTAL: usize = 3_000_000;
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    let writer = std::thread::spawn(move || {
        let mut sent = 0;
        for len in (1..5000).step_by(7).cycle() {
            let len = len.min(TOTAL - sent);
            if len == 0 {
                break;
            }
            far.write_all(&numbered(sent, len)).unwrap();
            sent += len;
        }
    });
    let mut receiver = Receiver::new(proactor.handle().adopt(near));
    let mut received = 0;
    let mut turn = 0_usize;
    loop {
        turn += 1;
        if !turn.is_multiple_of(3) {
            // A read that loses to a timeout of zero.
            let mut buf = vec![0; 1 + turn % 900];
            let mut read = Box::pin(receiver.read(&mut buf));
            if let Poll::Ready(count) = poll_once(&mut read) {
                let count = count.unwrap();
                drop(read);
                assert_eq!(buf[..count], numbered(received, count));
                received += count;
            }
            proactor.park(Some(Duration::ZERO)).unwrap();
            continue;
        }
        let chunk = proactor.block_on(receiver.read_chunk()).unwrap().unwrap();
        if chunk.is_empty() {
            break;
        }
        assert_eq!(chunk[..], numbered(received, chunk.len()));
        received += chunk.len();
    }
    assert_eq!(received, TOTAL);
    writer.join().unwrap();
}

#[test]
fn a_tiny_pool_serves_many_streams() {
    let config = Config::default()
        .buffer_count(2)
        .buffer_len_bytes(64)
        .ring_entries(4);
    let mut proactor = Proactor::new(&config).unwrap();
    let pairs: Vec<_> = (0..100).map(|_| tcp_pair()).collect();
    let (near, mut far): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let mut receivers: Vec<_> = near
        .into_iter()
        .map(|near| Receiver::new(proactor.handle().adopt(near)))
        .collect();
    for (at, far) in far.iter_mut().enumerate() {
        far.write_all(&numbered(at, 1000)).unwrap();
    }
    for receiver in &mut receivers {
        let mut read = Box::pin(receiver.read_chunk());
        drop(poll_once(&mut read));
    }
    for (at, receiver) in receivers.iter_mut().enumerate() {
        let mut bytes = Vec::new();
        while bytes.len() < 1000 {
            let mut buf = [0; 300];
            let count = proactor.block_on(receiver.read(&mut buf)).unwrap().unwrap();
            bytes.extend_from_slice(&buf[..count]);
        }
        assert_eq!(bytes, numbered(at, 1000));
    }
}

#[test]
fn a_stream_that_is_not_read_holds_a_bounded_queue() {
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    far.set_nonblocking(true).unwrap();
    let mut receiver = Receiver::new(proactor.handle().adopt(near));
    assert!(poll_once(&mut Box::pin(receiver.read(&mut [0; 1]))).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    let mut sent = 0;
    let mut refused = 0;
    while refused < 100 {
        match far.write(&numbered(sent, 8192)) {
            Ok(count) => sent += count,
            Err(_) => refused += 1,
        }
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    let held = format!("{receiver:?}");
    let held: usize = held
        .split("queued_bytes: ")
        .nth(1)
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(held >= 256 * 1024, "{held} bytes fill the queue");
    assert!(
        held < 256 * 1024 + 1024 * 1024,
        "{held} bytes are more than a queue and a batch"
    );
    drop(far);
    let mut received = 0;
    let mut buf = vec![0; 100_000];
    loop {
        let count = proactor.block_on(receiver.read(&mut buf)).unwrap().unwrap();
        if count == 0 {
            break;
        }
        assert_eq!(buf[..count], numbered(received, count));
        received += count;
    }
    assert_eq!(received, sent);
}

#[test]
fn bytes_come_before_the_error_that_followed_them() {
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    // Unread data at the closing end makes the kernel send a reset.
    (&near).write_all(b"unread").unwrap();
    let mut receiver = Receiver::new(proactor.handle().adopt(near));
    assert!(poll_once(&mut Box::pin(receiver.read(&mut [0; 1]))).is_pending());
    far.write_all(b"last words").unwrap();
    proactor.park(Some(Duration::from_secs(1))).unwrap();
    drop(far);
    let mut buf = [0; 64];
    let count = proactor.block_on(receiver.read(&mut buf)).unwrap().unwrap();
    assert_eq!(&buf[..count], b"last words");
    let error = proactor
        .block_on(receiver.read(&mut buf))
        .unwrap()
        .unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ECONNRESET));
    assert_eq!(
        proactor.block_on(receiver.read(&mut buf)).unwrap().unwrap(),
        0
    );
}

/// How a peer ends that has sent some bytes.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Reset,
    Close,
    UnixClose,
}

impl Ending {
    /// A connection whose peer sends some bytes and ends, by the returned call.
    fn pair(self) -> (OwnedFd, Box<dyn FnOnce()>) {
        if let Self::UnixClose = self {
            let (near, mut far) = UnixStream::pair().unwrap();
            return (near.into(), Box::new(move || far.write_all(SENT).unwrap()));
        }
        let (near, mut far) = tcp_pair();
        let end = move || {
            far.write_all(SENT).unwrap();
            if let Self::Reset = self {
                let socket = socket2::SockRef::from(&far);
                socket.set_linger(Some(Duration::ZERO)).unwrap();
            }
        };
        (near.into(), Box::new(end))
    }
}

const SENT: &[u8] = b"last words";

/// The kernel tells of bytes once, and not again of an end that was there with them.
#[test]
fn an_end_right_behind_the_bytes_is_seen_whenever_they_came() {
    for ending in [Ending::Reset, Ending::Close, Ending::UnixClose] {
        for turns_before in 0..4 {
            let mut proactor = proactor();
            let (near, end) = ending.pair();
            let mut receiver = Receiver::new(proactor.handle().adopt(near));
            let mut buf = [0; 64];
            if turns_before > 0 {
                assert!(poll_once(&mut Box::pin(receiver.read(&mut buf))).is_pending());
            }
            for _ in 1..turns_before {
                proactor.park(Some(Duration::ZERO)).unwrap();
            }
            end();
            let count = proactor.block_on(receiver.read(&mut buf)).unwrap().unwrap();
            assert_eq!(&buf[..count], SENT);
            let end = read_soon(&mut proactor, &mut receiver);
            match (
                ending,
                end.unwrap_or_else(|| panic!("{ending:?} {turns_before}")),
            ) {
                (Ending::Reset, Err(error)) => {
                    assert_eq!(error.raw_os_error(), Some(libc::ECONNRESET));
                }
                (Ending::Close | Ending::UnixClose, Ok(count)) => assert_eq!(count, 0),
                (_, end) => panic!("{ending:?}: {end:?}"),
            }
        }
    }
}

/// What a read says within some time, in which it has to.
fn read_soon(proactor: &mut Proactor, receiver: &mut Receiver) -> Option<std::io::Result<usize>> {
    for _ in 0..20 {
        if let Poll::Ready(end) = poll_once(&mut Box::pin(receiver.read(&mut [0]))) {
            return Some(end);
        }
        proactor.park(Some(Duration::from_millis(50))).unwrap();
    }
    None
}

#[test]
fn the_end_of_the_stream_stays_the_end() {
    let mut proactor = proactor();
    let (near, far) = tcp_pair();
    let mut receiver = Receiver::new(proactor.handle().adopt(near));
    far.shutdown(Shutdown::Write).unwrap();
    for _ in 0..3 {
        assert_eq!(
            proactor
                .block_on(receiver.read(&mut [0; 8]))
                .unwrap()
                .unwrap(),
            0
        );
        assert!(
            proactor
                .block_on(receiver.read_chunk())
                .unwrap()
                .unwrap()
                .is_empty()
        );
    }
    assert_eq!(
        proactor.block_on(receiver.read(&mut [])).unwrap().unwrap(),
        0
    );
}

#[test]
fn chunks_outlive_their_proactor() {
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    far.write_all(b"kept").unwrap();
    let mut receiver = Receiver::new(proactor.handle().adopt(near));
    let chunk = proactor.block_on(receiver.read_chunk()).unwrap().unwrap();
    drop(proactor);
    assert_eq!(&chunk[..], b"kept");
    drop(receiver);
    assert_eq!(&chunk[..], b"kept");
}

#[test]
fn dropped_receivers_leave_nothing_behind() {
    let mut proactor = proactor();
    for _ in 0..1000 {
        let (near, mut far) = tcp_pair();
        let mut receiver = Receiver::new(proactor.handle().adopt(near));
        assert!(poll_once(&mut Box::pin(receiver.read(&mut [0; 1]))).is_pending());
        far.write_all(b"nobody reads this").unwrap();
        proactor.park(Some(Duration::ZERO)).unwrap();
        drop(receiver);
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    settle(&mut proactor);
    assert_eq!(proactor.stats().live, 0);
    // The pool would have run dry after 512 lost buffers.
    let (near, mut far) = tcp_pair();
    far.write_all(b"ok").unwrap();
    let mut receiver = Receiver::new(proactor.handle().adopt(near));
    assert_eq!(
        &proactor.block_on(receiver.read_chunk()).unwrap().unwrap()[..],
        b"ok"
    );
}

#[test]
fn bytes_that_are_looked_at_are_there_until_they_are_consumed() {
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    far.write_all(&numbered(0, 1000)).unwrap();
    drop(far);
    let mut receiver = Receiver::new(proactor.handle().adopt(near));
    let mut seen = 0;
    loop {
        let look = |receiver: &mut Receiver, cx: &mut Context<'_>| {
            let bytes = ready!(receiver.poll_fill_buf(cx)).unwrap();
            Poll::Ready(bytes.to_vec())
        };
        let bytes = proactor.block_on(poll_fn(|cx| look(&mut receiver, cx)));
        let bytes = bytes.unwrap();
        let again = proactor.block_on(poll_fn(|cx| look(&mut receiver, cx)));
        assert_eq!(again.unwrap(), bytes);
        assert_eq!(bytes, numbered(seen, bytes.len()));
        if bytes.is_empty() {
            break;
        }
        receiver.consume(0);
        receiver.consume(bytes.len().min(100));
        seen += bytes.len().min(100);
        // The other ways of reading go on where this one has ended.
        let mut one = [0];
        let count = proactor.block_on(receiver.read(&mut one)).unwrap().unwrap();
        assert_eq!(one[..count], numbered(seen, count));
        seen += count;
        receiver.consume(0);
    }
    receiver.consume(1);
    assert_eq!(seen, 1000);
}

#[test]
fn what_is_left_of_a_look_is_lent_as_a_chunk_and_given_back_by_a_drop() {
    let config = Config::default().buffer_count(1).buffer_len_bytes(64);
    let mut proactor = Proactor::new(&config).unwrap();
    for rest in [true, false] {
        let (near, mut far) = tcp_pair();
        far.write_all(&numbered(0, 10)).unwrap();
        let mut receiver = Receiver::new(proactor.handle().adopt(near));
        let len = poll_fn(|cx| receiver.poll_fill_buf(cx).map_ok(<[u8]>::len));
        assert_eq!(proactor.block_on(len).unwrap().unwrap(), 10);
        receiver.consume(4);
        if rest {
            let chunk = proactor.block_on(receiver.read_chunk()).unwrap().unwrap();
            assert_eq!(chunk[..], numbered(4, 6));
        }
    }
    // The only buffer is back: a stream that finds none reads into one of 16 KiB.
    let (near, mut far) = tcp_pair();
    far.write_all(&numbered(0, 100)).unwrap();
    let mut receiver = Receiver::new(proactor.handle().adopt(near));
    let chunk = proactor.block_on(receiver.read_chunk()).unwrap().unwrap();
    assert_eq!(chunk.len(), 64);
}

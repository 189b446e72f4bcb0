use std::cell::Cell;
use std::io::Read;
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Ancillary, IoBuf, Op, Operation, Outcome, Proactor};

use crate::rig::{poll_once, proactor, settle, tcp_pair};

fn run<O: Operation>(proactor: &mut Proactor, op: Op<O>) -> O::Output {
    proactor.block_on(op).unwrap()
}

/// More than the socket's buffers hold.
const MUCH: usize = 16 << 20;

/// Bytes of which every part tells where it belongs.
fn pattern() -> Vec<u8> {
    let mut bytes = (0..=250).collect::<Vec<u8>>().repeat(MUCH / 251 + 1);
    bytes.truncate(MUCH);
    bytes
}

/// Bytes that tell when they are freed.
struct Watched {
    bytes: Vec<u8>,
    is_freed: Rc<Cell<bool>>,
}

impl Watched {
    fn new() -> (Self, Rc<Cell<bool>>) {
        let is_freed = Rc::<Cell<bool>>::default();
        let watched = Self {
            bytes: pattern(),
            is_freed: Rc::clone(&is_freed),
        };
        (watched, is_freed)
    }
}

impl IoBuf for Watched {
    fn as_slice(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.is_freed.set(true);
    }
}

/// Sends more than the peer takes, until the kernel has told how much it has queued.
fn stall<O: Operation>(proactor: &mut Proactor, send: &mut Op<O>) {
    let before = proactor.stats().completions;
    assert!(poll_once(send).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    while proactor.stats().completions == before {
        proactor.park(Some(Duration::from_secs(1))).unwrap();
    }
}

/// Reads until the operation has ended, with what was sent in order.
fn drain(proactor: &mut Proactor, far: &mut TcpStream) -> usize {
    far.set_nonblocking(true).unwrap();
    let mut bytes = vec![0; 1 << 20];
    let expected = pattern();
    let mut total = 0;
    while proactor.stats().in_flight > 0 {
        if let Ok(count) = far.read(&mut bytes) {
            assert!(bytes[..count] == expected[total..total + count]);
            total += count;
        }
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    while let Ok(count @ 1..) = far.read(&mut bytes) {
        assert!(bytes[..count] == expected[total..total + count]);
        total += count;
    }
    total
}

#[test]
fn the_buffer_comes_back_when_nothing_needs_it_any_more() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    let (buffer, is_freed) = Watched::new();
    let mut send = handle.send_zc(&near, buffer, 0);
    stall(&mut proactor, &mut send);
    // The count is known, and the peer has not read: the buffer is still the kernel's.
    for _ in 0..10 {
        assert!(poll_once(&mut send).is_pending());
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    assert_eq!(proactor.stats().in_flight, 1);
    let total = drain(&mut proactor, &mut far);
    let (sent, buffer) = run(&mut proactor, send).ok().unwrap();
    assert_eq!(sent.count, total);
    assert!(sent.count < MUCH, "the kernel took less than there was");
    assert!(!is_freed.get());
    drop(buffer);
    assert_eq!(proactor.stats().live, 0);
}

#[test]
fn a_dropped_send_leaves_its_buffer_to_the_kernel() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    let (buffer, is_freed) = Watched::new();
    let mut send = handle.send_zc(&near, buffer, 0);
    stall(&mut proactor, &mut send);
    drop(send);
    for _ in 0..10 {
        proactor.park(Some(Duration::ZERO)).unwrap();
        assert!(!is_freed.get(), "the kernel still reads it");
    }
    drain(&mut proactor, &mut far);
    assert!(is_freed.get());
    // Likewise a set of buffers, and the end of the connection serves as well as a reader.
    let (near, far) = tcp_pair();
    let near = handle.adopt(near);
    let (buffer, is_freed) = Watched::new();
    let send = handle.send_msg_zc(&near, [buffer], None, Ancillary::new(), 0);
    let mut send = send.ok().unwrap();
    stall(&mut proactor, &mut send);
    drop(send);
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert!(!is_freed.get());
    drop((near, far));
    settle(&mut proactor);
    assert!(is_freed.get());
    assert_eq!(proactor.stats().live, 0);
}

#[test]
fn a_cancelled_send_tells_what_was_sent_once_the_buffer_is_free() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    let (buffer, _) = Watched::new();
    let mut send = handle.send_zc(&near, buffer, libc::MSG_WAITALL);
    assert!(poll_once(&mut send).is_pending());
    for _ in 0..3 {
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    let mut cancel = send.cancel();
    for _ in 0..10 {
        assert!(poll_once(&mut cancel).is_pending());
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    let total = drain(&mut proactor, &mut far);
    let Outcome::Completed(result) = proactor.block_on(cancel).unwrap() else {
        panic!("some of it was sent")
    };
    let (sent, _) = result.ok().unwrap();
    assert_eq!(sent.count, total);
    assert!(sent.count > 0 && sent.count < MUCH);
}

#[test]
fn errors_bring_the_buffer_back_too() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, far) = tcp_pair();
    let near = handle.adopt(near);
    run(
        &mut proactor,
        handle.shutdown(&near, std::net::Shutdown::Write),
    )
    .unwrap();
    let error = run(&mut proactor, handle.send_zc(&near, vec![5; 9000], 0)).unwrap_err();
    assert_eq!(error.error.raw_os_error(), Some(libc::EPIPE));
    assert_eq!(error.buffer, [5; 9000]);
    let send = handle.send_msg_zc(&near, [vec![5; 9000]], None, Ancillary::new(), 0);
    let error = run(&mut proactor, send.unwrap()).unwrap_err();
    assert_eq!(error.error.raw_os_error(), Some(libc::EPIPE));
    assert_eq!(error.buffer.0, [[5; 9000]]);
    drop(far);
    let (near, _far) = UnixStream::pair().unwrap();
    let near = handle.adopt(near);
    let error = run(&mut proactor, handle.send_zc(&near, "unix", 0)).unwrap_err();
    assert_eq!(error.error.raw_os_error(), Some(libc::EOPNOTSUPP));
    assert_eq!(error.buffer, "unix");
    let file = handle.adopt(std::fs::File::open("/dev/null").unwrap());
    let error = run(&mut proactor, handle.send_zc(&file, "file", 0)).unwrap_err();
    assert_eq!(error.error.raw_os_error(), Some(libc::ENOTSOCK));
    settle(&mut proactor);
    assert_eq!(proactor.stats().live, 0);
}

#[test]
fn loopback_copies_and_says_so() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    let register = handle.register(&near).unwrap();
    let direct = run(&mut proactor, register).unwrap();
    let reader = std::thread::spawn(move || {
        let mut bytes = vec![0; 60_000];
        far.read_exact(&mut bytes).unwrap();
        (bytes, far)
    });
    let set = (vec![1; 20_000], vec![2; 20_000]);
    let send = handle.send_msg_zc(&direct, set, None, Ancillary::new(), 0);
    let (sent, _) = run(&mut proactor, send.unwrap()).unwrap();
    assert_eq!(sent.count, 40_000);
    assert_ne!(sent.was_copied, Some(false));
    let (sent, _) = run(&mut proactor, handle.send_zc(&direct, vec![3; 20_000], 0)).unwrap();
    assert_eq!(sent.count, 20_000);
    assert_ne!(sent.was_copied, Some(false));
    let (bytes, _far) = reader.join().unwrap();
    assert!(
        bytes
            .chunks(20_000)
            .zip(1..)
            .all(|(part, byte)| part == vec![byte; 20_000])
    );

    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = receiver.local_addr().unwrap();
    let sender = handle.adopt(UdpSocket::bind("127.0.0.1:0").unwrap());
    let send = handle.send_msg_zc(
        &sender,
        ["data", "gram"],
        Some(to.into()),
        Ancillary::new(),
        0,
    );
    let (sent, _) = run(&mut proactor, send.unwrap()).unwrap();
    assert_eq!(sent.count, 8);
    let mut bytes = [0; 16];
    assert_eq!(receiver.recv(&mut bytes).unwrap(), 8);
    assert_eq!(&bytes[..8], b"datagram");
}

#[test]
fn a_registered_buffer_is_sent_from_where_it_is() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let pool = handle.register_buffers(2, 8192).unwrap();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    let mut buffer = pool.check_out().unwrap();
    buffer[..6].copy_from_slice(b"window");
    let send = handle.send_zc_fixed(&near, buffer.slice(3..6), 0);
    let (sent, window) = run(&mut proactor, send).unwrap();
    assert_eq!((sent.count, window.as_slice()), (3, &b"dow"[..]));
    let mut bytes = [0; 3];
    far.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"dow");
    // That of another proactor is refused before anything is sent.
    let stranger = crate::rig::proactor();
    let strange = stranger.handle().register_buffers(1, 8192).unwrap();
    let send = handle.send_zc_fixed(&near, strange.check_out().unwrap(), 0);
    let error = run(&mut proactor, send).unwrap_err();
    assert_eq!(error.error.raw_os_error(), Some(libc::EFAULT));
}

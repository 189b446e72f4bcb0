//! What an entry points at besides buffers: addresses, times, paths, arrays of pieces. The kernel
//! reads it when the batch is submitted, long after the function that made it has returned (F05).

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::task::{Context, Waker};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::ops::{OpenHow, WaitTarget};
use ringloop_proactor::{Ancillary, Fd, Handle, Proactor, SocketAddress, SocketOption};

use crate::life::stage::pair;
use crate::rig::{churn, end, proactor, sound};

/// Overwrites the part of the stack that `polled` has used, and what was freed.
#[inline(never)]
fn overwrite() {
    #[inline(never)]
    fn deeper(depth: usize) -> u8 {
        let mut frame = [0xaa_u8; 4096];
        std::hint::black_box(&mut frame);
        if depth > 0 {
            frame[depth] = deeper(depth - 1);
        }
        std::hint::black_box(frame)[depth]
    }
    assert_eq!(deeper(20), 0xaa);
    churn();
}

/// Makes a future and polls it once, in a frame that is gone afterwards.
#[inline(never)]
fn polled<F: Future + Unpin>(make: impl FnOnce() -> F) -> F {
    let mut future = make();
    let poll = Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
    assert!(poll.is_pending());
    future
}

/// The same, moved about and with everything below overwritten before the batch is submitted.
fn late<F: Future + Unpin>(proactor: &mut Proactor, make: impl FnOnce() -> F) -> F::Output {
    let future = polled(make);
    overwrite();
    let mut moved = vec![future];
    moved.reserve(100);
    overwrite();
    let future = moved.pop().unwrap();
    proactor.block_on(future).unwrap()
}

fn case(body: fn(&mut Proactor, &Handle)) {
    sound(|| {
        let mut proactor = proactor();
        let handle = proactor.handle();
        body(&mut proactor, &handle);
        end(proactor);
    });
}

#[test]
fn addresses_belong_to_the_operation() {
    case(|proactor, handle| {
        for host in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(host) else {
                continue;
            };
            let address = listener.local_addr().unwrap();
            let family = if address.is_ipv4() {
                libc::AF_INET
            } else {
                libc::AF_INET6
            };
            let socket = late(proactor, || handle.socket(family, libc::SOCK_STREAM, 0));
            let socket = handle.adopt(socket.unwrap());
            late(proactor, || handle.connect(&socket, address)).unwrap();
            let (_, peer) = listener.accept().unwrap();
            assert_eq!(peer.ip(), address.ip());
        }
        // A datagram socket keeps what it was connected to.
        let far = UdpSocket::bind("127.0.0.1:0").unwrap();
        let near = UdpSocket::bind("127.0.0.1:0").unwrap();
        let fd = handle.adopt(near.try_clone().unwrap());
        late(proactor, || handle.connect(&fd, far.local_addr().unwrap())).unwrap();
        assert_eq!(near.peer_addr().unwrap(), far.local_addr().unwrap());
    });
}

#[test]
fn paths_belong_to_the_operation() {
    case(|proactor, handle| {
        for round in 0..20 {
            let open = || {
                // As long as a small allocation, and a larger one.
                let path = "/".repeat(1 + round * 20) + "dev/null";
                handle.open(PathBuf::from(path), libc::O_RDONLY, 0).unwrap()
            };
            drop(late(proactor, open).unwrap());
        }
    });
}

#[test]
fn times_belong_to_the_operation() {
    case(|proactor, handle| {
        let (near, far) = pair(proactor);
        let chain = || {
            let recv = handle.recv(&near, vec![0; 8]);
            recv.with_timeout(Duration::from_millis(3))
        };
        let before = proactor.now();
        let (received, _expired) = late(proactor, chain);
        assert!(received.is_err());
        let waited = proactor.now() - before;
        assert!(waited >= Duration::from_millis(3));
        assert!(
            waited < Duration::from_secs(5),
            "it waited for another time"
        );
        drop(far);
    });
}

#[test]
fn arrays_of_pieces_belong_to_the_operation() {
    case(|proactor, handle| {
        let (near, far) = pair(proactor);
        // In the slot, in the box of the operation, in a box of their own.
        for count in [1, 4, 5, 100] {
            let write = || {
                let set: Vec<Vec<u8>> = (0..count).map(|at| vec![at; 3]).collect();
                handle.write_vectored(&far, set, u64::MAX).unwrap()
            };
            let len = 3 * usize::from(count);
            assert_eq!(late(proactor, write).unwrap().0, len);
            let read = || {
                let set: Vec<_> = (0..count).map(|_| [0_u8; 3]).collect();
                handle.read_vectored(&near, set, u64::MAX).unwrap()
            };
            let (filled, set) = late(proactor, read).unwrap();
            assert_eq!(filled, len);
            assert!((0..count).eq(set.into_iter().map(|[byte, ..]| byte)));
        }
    });
}

#[test]
fn numbers_belong_to_the_operation() {
    case(|proactor, handle| {
        let (near, far) = pair(proactor);
        let direct = late(proactor, || handle.register(&near).unwrap()).unwrap();
        let send = || handle.send(&direct, *b"by way of a slot");
        assert_eq!(late(proactor, send).unwrap().0, 16);
        let recv = || handle.recv(&far, [0_u8; 16]);
        assert_eq!(late(proactor, recv).unwrap().1, *b"by way of a slot");
        let fd: Fd = direct;
        drop((fd, near, far));
    });
}

/// An operation that an older kernel lacks is not tested.
fn late_if_known<F: Future + Unpin>(
    proactor: &mut Proactor,
    make: impl Fn() -> io::Result<F>,
) -> Option<F::Output> {
    match make() {
        Ok(_known) => Some(late(proactor, || make().unwrap())),
        Err(error) => {
            assert_eq!(error.kind(), io::ErrorKind::Unsupported);
            None
        }
    }
}

#[test]
fn headers_of_messages_belong_to_the_operation() {
    case(|proactor, handle| {
        let bind = || UdpSocket::bind("127.0.0.1:0").unwrap();
        let (near, far) = (bind(), bind());
        let (from, to) = (near.local_addr().unwrap(), far.local_addr().unwrap());
        let (near, far) = (handle.adopt(near), handle.adopt(far));
        for count in [1, 4, 5, 50] {
            let send = || {
                let set: Vec<Vec<u8>> = (0..count).map(|at| vec![at; 10]).collect();
                let to = Some(SocketAddress::from(to));
                let send = handle.send_msg(&near, set, to, Ancillary::new(), 0);
                send.unwrap()
            };
            let len = usize::from(count) * 10;
            assert_eq!(late(proactor, send).unwrap().0, len);
            let recv = || {
                let set: Vec<_> = (0..count).map(|_| [0_u8; 10]).collect();
                let recv = handle.recv_msg(&far, set, Ancillary::with_room(100), 0);
                recv.unwrap()
            };
            let received = late(proactor, recv).unwrap();
            assert_eq!(received.count, len);
            assert_eq!(received.peer, Some(SocketAddress::from(from)));
            let expected = (0..count).map(|at| [at; 10]);
            assert!(expected.eq(received.buffers));
        }
        let send = || handle.send_to(&near, *b"whole", to);
        assert_eq!(late(proactor, send).unwrap().0, 5);
        let recv = || handle.recv_from(&far, [0_u8; 5]);
        assert_eq!(late(proactor, recv).unwrap().buffers, [*b"whole"]);
        // Descriptors that go with a message are open until it has gone.
        let (near, far) = pair(proactor);
        let send = || {
            let mut ancillary = Ancillary::new();
            let null = handle.adopt(std::fs::File::open("/dev/null").unwrap());
            ancillary.push_descriptors(&[null.clone(), null]).unwrap();
            handle
                .send_msg(&near, [vec![1]], None, ancillary, 0)
                .unwrap()
        };
        assert_eq!(late(proactor, send).unwrap().0, 1);
        let recv = || {
            let room = Ancillary::room_for_descriptors(2);
            let ancillary = Ancillary::with_room(room);
            handle.recv_msg(&far, [[0_u8; 1]], ancillary, 0).unwrap()
        };
        let mut received = late(proactor, recv).unwrap();
        assert_eq!(received.ancillary.take_descriptors().unwrap().len(), 2);
    });
}

#[test]
fn what_the_kernel_writes_besides_buffers_belongs_to_the_operation() {
    case(|proactor, handle| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let listener = handle.adopt(listener);
        let (_connection, peer) = late(proactor, || handle.accept_from(&listener)).unwrap();
        assert_eq!(peer, SocketAddress::from(client.local_addr().unwrap()));
        let path = std::env::current_exe().unwrap();
        let statx = || {
            let path = path.clone();
            handle.statx(None, path, 0, STATX_SIZE).unwrap()
        };
        let len = std::fs::metadata(&path).unwrap().len();
        assert_eq!(late(proactor, statx).unwrap().len_bytes(), len);
        let client = handle.adopt(client);
        let set =
            || handle.set_option(&client, SocketOption::LINGER, Some(Duration::from_secs(77)));
        if let Some(result) = late_if_known(proactor, set) {
            result.unwrap();
            let get = || handle.option(&client, SocketOption::LINGER).unwrap();
            let linger = late(proactor, get).unwrap();
            assert_eq!(linger, Some(Duration::from_secs(77)));
        }
        if let Some(ends) = late_if_known(proactor, || handle.pipe(0)) {
            let (reader, writer) = ends.unwrap();
            std::fs::File::from(writer).write_all(b"through").unwrap();
            let mut text = String::new();
            std::fs::File::from(reader)
                .read_to_string(&mut text)
                .unwrap();
            assert_eq!(text, "through");
        }
        let wait = || {
            #[expect(clippy::zombie_processes, reason = "the ring waits for it")]
            let child = std::process::Command::new("true").spawn().unwrap();
            handle.waitid(&WaitTarget::Pid(child.id()), libc::WEXITED)
        };
        let known = handle.waitid(&WaitTarget::Any, libc::WEXITED).is_ok();
        if known {
            let waited = late(proactor, || wait().unwrap()).unwrap();
            assert!(waited.status.success() && waited.pid > 0);
        }
    });
}

#[test]
fn more_paths_times_and_words_belong_to_the_operation() {
    case(|proactor, handle| {
        let how = || {
            let how = OpenHow::new(libc::O_RDONLY).resolve(0x08);
            handle.openat2(None, "Cargo.toml", how).unwrap()
        };
        drop(late(proactor, how).unwrap());
        let folder = std::env::temp_dir();
        let name = |what: &str| folder.join(format!("ringloop-{what}-{}", std::process::id()));
        let make = || handle.mkdirat(None, name("late"), 0o700).unwrap();
        late(proactor, make).unwrap();
        let rename = || {
            let rename = handle.renameat2(None, name("late"), None, name("later"), 0);
            rename.unwrap()
        };
        late(proactor, rename).unwrap();
        let remove = || {
            let remove = handle.unlinkat(None, name("later"), libc::AT_REMOVEDIR);
            remove.unwrap()
        };
        late(proactor, remove).unwrap();
        let before = proactor.now();
        late(proactor, || handle.timeout(Duration::from_millis(3))).unwrap();
        let waited = proactor.now() - before;
        assert!(waited >= Duration::from_millis(3) && waited < Duration::from_secs(5));
        // The words have changed already: found at their places, they are no reason to wait.
        let wait = || {
            let words = (0..5).map(|at| (Arc::new(AtomicU32::new(at)), at ^ 1));
            handle.futex_waitv(words.collect())
        };
        if let Some(result) = late_if_known(proactor, wait) {
            let errno = result.unwrap_err().raw_os_error();
            assert_eq!(errno, Some(libc::EAGAIN));
        }
    });
}

const STATX_SIZE: u32 = 0x200;

//! What an entry points at besides buffers: addresses, times, paths, arrays of pieces. The kernel
//! reads it when the batch is submitted, long after the function that made it has returned (F05).

use std::future::Future;
use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use ringloop_proactor::{Fd, Handle, Proactor};

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
                handle
                    .open(&PathBuf::from(path), libc::O_RDONLY, 0)
                    .unwrap()
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
        let before = ringloop_core::Driver::now(proactor);
        let (received, _expired) = late(proactor, chain);
        assert!(received.is_err());
        let waited = ringloop_core::Driver::now(proactor) - before;
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

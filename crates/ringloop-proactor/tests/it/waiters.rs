use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Acceptor, Config, Proactor};

use crate::rig::{Count, poll_once, poll_with, proactor, settle};

#[test]
fn waiters_go_on_after_the_kernel_ended_a_multishot_accept() {
    let mut proactor = Proactor::new(&Config::default().ring_entries(1)).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = Acceptor::new(proactor.handle().adopt(listener));
    let counts: Vec<_> = (0..20).map(|_| Arc::<Count>::default()).collect();
    let mut waits: Vec<_> = counts.iter().map(|_| Some(acceptor.accept())).collect();
    let _clients: Vec<_> = (0..20)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    for (w, c) in waits.iter_mut().zip(&counts) {
        assert!(poll_with(w.as_mut().unwrap(), c).is_pending());
    }
    let mut served = 0;
    let mut seen = [0; 20];
    for _ in 0..200 {
        proactor.park(Some(Duration::from_millis(5))).unwrap();
        for at in 0..20 {
            if counts[at].get() > seen[at] && waits[at].is_some() {
                seen[at] = counts[at].get();
                if let Poll::Ready(r) = poll_with(waits[at].as_mut().unwrap(), &counts[at]) {
                    r.unwrap();
                    waits[at] = None;
                    served += 1;
                }
            }
        }
    }
    assert_eq!(served, 20);
}

/// An acceptor whose queue was full and has been emptied, while its accept is being stopped.
fn flooded(proactor: &mut Proactor) -> (Acceptor, SocketAddr, Vec<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    socket2::SockRef::from(&listener).listen(2048).unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = Acceptor::new(proactor.handle().adopt(listener));
    let clients: Vec<_> = (0..256)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    // The queue is full: the accept is asked to stop at the next park.
    assert!(poll_once(&mut acceptor.accept()).is_pending());
    while !format!("{acceptor:?}").contains("queued: 256") {
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    for _ in 0..256 {
        let Poll::Ready(c) = poll_once(&mut acceptor.accept()) else {
            panic!("it has arrived")
        };
        c.unwrap();
    }
    (acceptor, address, clients)
}

#[test]
fn a_waiter_that_is_woken_for_nothing_and_dropped_leaves_the_others_waiting_for_real() {
    let mut proactor = proactor();
    let (acceptor, address, _clients) = flooded(&mut proactor);
    let (a, b) = (Arc::<Count>::default(), Arc::<Count>::default());
    let mut first = acceptor.accept();
    let mut second = acceptor.accept();
    assert!(poll_with(&mut first, &a).is_pending());
    assert!(poll_with(&mut second, &b).is_pending());
    for _ in 0..10 {
        proactor.park(Some(Duration::from_millis(5))).unwrap();
    }
    drop(first);
    let _client = TcpStream::connect(address).unwrap();
    for _ in 0..10 {
        proactor.park(Some(Duration::from_millis(5))).unwrap();
    }
    assert!(b.get() > 0, "the second waiter hangs");
}

#[test]
fn a_waiter_that_is_woken_for_nothing_keeps_its_place() {
    let mut proactor = proactor();
    let (acceptor, address, _clients) = flooded(&mut proactor);
    let (a, b) = (Arc::<Count>::default(), Arc::<Count>::default());
    let mut first = acceptor.accept();
    let mut second = acceptor.accept();
    assert!(poll_with(&mut first, &a).is_pending());
    assert!(poll_with(&mut second, &b).is_pending());
    for _ in 0..10 {
        proactor.park(Some(Duration::from_millis(5))).unwrap();
    }
    if a.get() > 0 {
        assert!(poll_with(&mut first, &a).is_pending());
    }
    let before = (a.get(), b.get());
    let _client = TcpStream::connect(address).unwrap();
    for _ in 0..10 {
        proactor.park(Some(Duration::from_millis(5))).unwrap();
    }
    assert_eq!(
        (a.get() - before.0, b.get() - before.1),
        (1, 0),
        "first come, first served"
    );
}

#[test]
fn all_who_wait_for_a_connection_are_told_of_the_shutdown() {
    let mut proactor = proactor();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let acceptor = Acceptor::new(proactor.handle().adopt(listener));
    let counts: Vec<_> = (0..3).map(|_| Arc::<Count>::default()).collect();
    let mut waits: Vec<_> = counts.iter().map(|_| acceptor.accept()).collect();
    for (w, c) in waits.iter_mut().zip(&counts) {
        assert!(poll_with(w, c).is_pending());
    }
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert_eq!(proactor.shut_down(), 0);
    let mut seen = [0; 3];
    let mut told = [false; 3];
    for _ in 0..10 {
        for at in 0..3 {
            if counts[at].get() > seen[at] && !told[at] {
                seen[at] = counts[at].get();
                told[at] = poll_with(&mut waits[at], &counts[at]).is_ready();
            }
        }
    }
    assert_eq!(told, [true; 3]);
}

#[test]
fn a_nonblocking_listener_does_not_spin() {
    let mut proactor = proactor();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let acceptor = Acceptor::new(proactor.handle().adopt(listener));
    let mut a = acceptor.accept();
    assert!(poll_once(&mut a).is_pending());
    for _ in 0..50 {
        proactor.park(Some(Duration::from_millis(1))).unwrap();
    }
    assert!(proactor.stats().submissions < 5, "{:?}", proactor.stats());
    drop(a);
    drop(acceptor);
    settle(&mut proactor);
}

#[test]
fn who_waits_behind_an_error_is_told_of_the_shutdown() {
    let mut proactor = proactor();
    // Nobody listens here: accepting is an error.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let acceptor = Acceptor::new(proactor.handle().adopt(socket));
    let counts = [(); 3].map(|()| Arc::<Count>::default());
    let mut waits = [(); 3].map(|()| acceptor.accept());
    for (wait, count) in waits.iter_mut().zip(&counts) {
        assert!(poll_with(wait, count).is_pending());
    }
    while counts[0].get() == 0 {
        proactor.park(Some(Duration::from_secs(1))).unwrap();
    }
    assert_eq!(proactor.shut_down(), 0);
    let Poll::Ready(Err(error)) = poll_with(&mut waits[0], &counts[0]) else {
        panic!("it was told of an error")
    };
    assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
    for (wait, count) in waits.iter_mut().zip(&counts).skip(1) {
        assert!(count.get() > 0, "it would wait for ever");
        let Poll::Ready(Err(error)) = poll_with(wait, count) else {
            panic!("it cannot wait")
        };
        assert!(error.to_string().contains("shut down"), "{error}");
    }
}

use std::future::poll_fn;
use std::net::{TcpListener, TcpStream};
use std::task::Poll;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::Acceptor;

use crate::rig::{alone, alone_with_few_descriptors, open_fds, poll_once, proactor, settle};

#[test]
fn no_connection_is_lost_when_accepts_are_dropped() {
    if !alone("accept::no_connection_is_lost_when_accepts_are_dropped") {
        return;
    }
    const CLIENTS: usize = 1000;
    let mut proactor = proactor();
    proactor.block_on(proactor.handle().nop()).unwrap().unwrap();
    let before = open_fds();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = Acceptor::new(proactor.handle().adopt(listener));
    let mut accepted = 0;
    for _ in 0..CLIENTS {
        let client = TcpStream::connect(address).unwrap();
        // Lost to a timeout of zero: polled, given a turn, dropped.
        let mut accept = Box::pin(acceptor.accept());
        if let Poll::Ready(connection) = poll_once(&mut accept) {
            drop(connection.unwrap());
            accepted += 1;
        }
        drop(accept);
        proactor.park(Some(Duration::ZERO)).unwrap();
        drop(client);
    }
    while accepted < CLIENTS {
        drop(proactor.block_on(acceptor.accept()).unwrap().unwrap());
        accepted += 1;
    }
    let mut more = Box::pin(acceptor.accept());
    assert!(
        poll_once(&mut more).is_pending(),
        "one connection for each client"
    );
    drop(more);
    drop(acceptor);
    settle(&mut proactor);
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert_eq!(open_fds(), before);
    assert_eq!(proactor.stats().live, 0);
}

#[test]
fn connections_that_nobody_takes_are_closed_with_the_acceptor() {
    if !alone("accept::connections_that_nobody_takes_are_closed_with_the_acceptor") {
        return;
    }
    let mut proactor = proactor();
    proactor.block_on(proactor.handle().nop()).unwrap().unwrap();
    let before = open_fds();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = Acceptor::new(proactor.handle().adopt(listener));
    let clients: Vec<_> = (0..100)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    drop(proactor.block_on(acceptor.accept()).unwrap().unwrap());
    let queued = open_fds();
    // The kernel accepts it, and is asked to end that in the same turn.
    let late = TcpStream::connect(address).unwrap();
    drop(acceptor);
    assert!(
        open_fds() < queued,
        "those that had come are closed at once"
    );
    drop((clients, late));
    settle(&mut proactor);
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert_eq!(open_fds(), before);
}

#[test]
fn the_queue_is_bounded_and_goes_on_after_a_flood() {
    let mut proactor = proactor();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    // A backlog that holds them all while nobody accepts.
    socket2::SockRef::from(&listener).listen(2048).unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = Acceptor::new(proactor.handle().adopt(listener));
    let clients: Vec<_> = (0..400)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let mut connections = Vec::new();
    for _ in &clients {
        connections.push(proactor.block_on(acceptor.accept()).unwrap().unwrap());
    }
    assert_eq!(connections.len(), 400);
}

#[test]
fn waiting_tasks_are_served_in_order_and_a_grant_is_passed_on() {
    let mut proactor = proactor();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = Acceptor::new(proactor.handle().adopt(listener));
    let mut first = acceptor.accept();
    let mut second = acceptor.accept();
    let mut third = acceptor.accept();
    assert!(poll_once(&mut first).is_pending());
    assert!(poll_once(&mut second).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    let _client = TcpStream::connect(address).unwrap();
    proactor.park(Some(Duration::from_secs(1))).unwrap();
    assert!(poll_once(&mut third).is_pending(), "it came last");
    assert!(
        poll_once(&mut second).is_pending(),
        "the first one was granted the connection"
    );
    drop(first);
    assert!(poll_once(&mut third).is_pending());
    assert!(poll_once(&mut second).is_ready(), "the grant was passed on");
}

#[test]
fn who_comes_late_does_not_take_what_was_granted() {
    let mut proactor = proactor();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = Acceptor::new(proactor.handle().adopt(listener));
    let mut first = acceptor.accept();
    assert!(poll_once(&mut first).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    let _client = TcpStream::connect(address).unwrap();
    proactor.park(Some(Duration::from_secs(1))).unwrap();
    let mut second = acceptor.accept();
    assert!(
        poll_once(&mut second).is_pending(),
        "the connection is the first one's"
    );
    assert!(poll_once(&mut first).is_ready());
    let _client = TcpStream::connect(address).unwrap();
    let connection = proactor.block_on(second).unwrap();
    drop(connection.unwrap());
}

#[test]
fn an_error_of_one_leaves_the_others_waiting_for_real() {
    if !alone_with_few_descriptors("accept::an_error_of_one_leaves_the_others_waiting_for_real") {
        return;
    }
    let mut proactor = proactor();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().into();
    let acceptor = Acceptor::new(proactor.handle().adopt(listener));
    let client =
        || socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let (early, late) = (client(), client());
    let mut first = acceptor.accept();
    let mut second = acceptor.accept();
    assert!(poll_once(&mut first).is_pending());
    assert!(poll_once(&mut second).is_pending());
    let mut hog = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        hog.push(file);
    }
    early.connect(&address).unwrap();
    let error = proactor.block_on(first).unwrap().unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
    hog.clear();
    late.connect(&address).unwrap();
    // Accepted again without a new call: whoever waited is served, or told of one more error.
    let Err(error) = proactor.block_on(second).unwrap() else {
        return;
    };
    assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
    drop(proactor.block_on(acceptor.accept()).unwrap().unwrap());
}

#[test]
fn a_stop_that_is_given_up_lets_the_next_accept_go_on() {
    let mut proactor = proactor();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = Acceptor::new(proactor.handle().adopt(listener));
    assert!(poll_once(&mut acceptor.accept()).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    let mut stop = poll_fn(|cx| acceptor.poll_stop(cx));
    assert!(poll_once(&mut stop).is_pending());
    let mut accept = acceptor.accept();
    assert!(poll_once(&mut accept).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    let _client = TcpStream::connect(address).unwrap();
    // Not polled in between: it is accepted by what went on. The bound is only there to fail.
    proactor.park(Some(Duration::from_secs(5))).unwrap();
    let Poll::Ready(connection) = poll_once(&mut accept) else {
        panic!("nothing is accepted any more");
    };
    connection.unwrap();
}

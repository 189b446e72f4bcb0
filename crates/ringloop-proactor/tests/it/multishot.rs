use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ringloop_core::Driver;

use crate::rig::{Count, alone, open_fds, poll_once, proactor, settle, tcp_pair};

#[test]
fn a_dropped_wait_loses_no_connection() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut connections = handle.accept_multishot(&handle.adopt(listener));
    let mut clients = Vec::new();
    for _ in 0..20 {
        {
            let mut next = pin!(connections.next());
            assert!(poll_once(&mut next).is_pending());
        }
        clients.push(TcpStream::connect(address).unwrap());
        proactor.park(Some(Duration::ZERO)).unwrap();
        let accepted = proactor.block_on(connections.next()).unwrap();
        accepted.unwrap().unwrap();
    }
    drop(connections);
    settle(&mut proactor);
    assert_eq!(proactor.stats().live, 0);
}

#[test]
fn what_nobody_takes_is_closed_and_the_bound_holds() {
    if !alone("multishot::what_nobody_takes_is_closed_and_the_bound_holds") {
        return;
    }
    let mut proactor = proactor();
    let handle = proactor.handle();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let listener = handle.adopt(listener);
    proactor.block_on(handle.nop()).unwrap().unwrap();
    let before = open_fds();
    let mut connections = handle.accept_multishot(&listener).limit(4);
    let clients: Vec<_> = (0..60)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    for _ in 0..3 {
        let accepted = proactor.block_on(connections.next()).unwrap();
        accepted.unwrap().unwrap();
    }
    // The kernel has stopped: connections that come now wait in its own queue.
    settle(&mut proactor);
    let mut taken = 3;
    while taken < clients.len() {
        let accepted = proactor.block_on(connections.next()).unwrap();
        accepted.unwrap().unwrap();
        taken += 1;
    }
    let late = TcpStream::connect(address).unwrap();
    {
        let mut next = pin!(connections.next());
        assert!(poll_once(&mut next).is_pending());
    }
    proactor.park(Some(Duration::from_secs(1))).unwrap();
    drop(connections);
    drop((clients, late));
    settle(&mut proactor);
    assert_eq!(open_fds(), before);
}

#[test]
fn a_poll_tells_again_and_again() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let reader = handle.adopt(reader);
    let events = u32::try_from(libc::POLLIN).unwrap();
    let mut ready = handle.poll_multishot(&reader, events);
    for _ in 0..3 {
        writer.write_all(b"x").unwrap();
        let seen = proactor.block_on(ready.next()).unwrap().unwrap().unwrap();
        assert_eq!(seen & events, events);
        let read = handle.read(&reader, vec![0; 8], u64::MAX);
        proactor.block_on(read).unwrap().unwrap();
    }
    ready.request_cancel();
    assert!(proactor.block_on(ready.next()).unwrap().is_none());
    assert!(proactor.block_on(ready.next()).unwrap().is_none());
    settle(&mut proactor);
}

#[test]
fn a_stream_ends_with_the_proactor() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (reader, _writer) = std::io::pipe().unwrap();
    let reader = handle.adopt(reader);
    let events = u32::try_from(libc::POLLIN).unwrap();
    let mut waiting = handle.poll_multishot(&reader, events);
    let mut staged = handle.poll_multishot(&reader, events);
    assert!(poll_once(&mut pin!(waiting.next())).is_pending());
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert!(poll_once(&mut pin!(staged.next())).is_pending());
    assert_eq!(proactor.shut_down(), 0);
    for stream in [&mut waiting, &mut staged] {
        let Poll::Ready(Some(Err(error))) = poll_once(&mut pin!(stream.next())) else {
            panic!("it says that the proactor is gone")
        };
        assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
        assert!(matches!(
            poll_once(&mut pin!(stream.next())),
            Poll::Ready(None)
        ));
    }
}

#[test]
fn a_stream_that_is_asked_to_stop_before_it_began_ends() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, _far) = tcp_pair();
    let mut stream = handle.poll_multishot(&handle.adopt(near), 1);
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut cx = Context::from_waker(&waker);
    assert!(stream.poll_next(&mut cx).is_pending());
    stream.request_cancel();
    assert_eq!(count.get(), 1, "nothing else would wake who waits");
    assert!(matches!(stream.poll_next(&mut cx), Poll::Ready(None)));
    proactor.park(Some(Duration::ZERO)).unwrap();
    assert_eq!(proactor.stats().in_flight, 0);
}

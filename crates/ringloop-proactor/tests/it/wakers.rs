use std::io::{Read, Write};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Acceptor, Receiver, Sender};

use crate::rig::{Count, alone_with_few_descriptors, poll_once, poll_with, proactor, tcp_pair};

#[test]
fn the_waker_of_the_last_poll_is_woken() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, mut far) = tcp_pair();
    let near = handle.adopt(near);
    let (old, new) = (Arc::<Count>::default(), Arc::<Count>::default());
    let mut poll = handle.poll(&near, 1);
    let mut receiver = Receiver::new(near.clone());
    assert!(poll_with(&mut poll, &old).is_pending());
    assert!(poll_with(&mut poll, &new).is_pending());
    let mut buf = [0; 1];
    assert!(poll_with(&mut Box::pin(receiver.read(&mut buf)), &old).is_pending());
    assert!(poll_with(&mut Box::pin(receiver.read(&mut buf)), &new).is_pending());
    far.write_all(b"x").unwrap();
    while new.get() < 2 {
        proactor.park(None).unwrap();
    }
    assert_eq!(old.get(), 0);
    assert!(poll_with(&mut poll, &new).is_ready());
    assert!(poll_with(&mut Box::pin(receiver.read(&mut buf)), &new).is_ready());
}

#[test]
fn a_shutdown_wakes_whoever_waits_for_what_was_only_staged() {
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (near, _far) = tcp_pair();
    let near = handle.adopt(near);
    let (of_op, of_read, of_flush) = (
        Arc::<Count>::default(),
        Arc::<Count>::default(),
        Arc::<Count>::default(),
    );
    let mut nop = handle.nop();
    let mut receiver = Receiver::new(near.clone());
    let mut sender = Sender::new(near);
    assert!(poll_with(&mut nop, &of_op).is_pending());
    assert!(poll_with(&mut Box::pin(receiver.read(&mut [0; 1])), &of_read).is_pending());
    assert!(poll_once(&mut Box::pin(sender.write_all(b"x"))).is_ready());
    assert!(poll_with(&mut Box::pin(sender.flush()), &of_flush).is_pending());
    assert_eq!(proactor.shut_down(), 0);
    for count in [of_op, of_read, of_flush] {
        assert_eq!(count.get(), 1);
    }
    assert!(matches!(poll_once(&mut nop), Poll::Ready(Err(_))));
    let mut buf = [0; 1];
    let read = poll_once(&mut Box::pin(receiver.read(&mut buf)));
    assert!(matches!(read, Poll::Ready(Err(_))));
    let flush = poll_once(&mut Box::pin(sender.flush()));
    assert!(matches!(flush, Poll::Ready(Err(_))));
}

#[test]
fn a_writer_that_waits_for_room_is_told_of_an_error() {
    let mut proactor = proactor();
    let (near, far) = tcp_pair();
    let mut sender = Sender::new(proactor.handle().adopt(near));
    let bytes = vec![1; 50_000_000];
    let mut write = Box::pin(sender.write_all(&bytes));
    let count = Arc::<Count>::default();
    // Until neither the queue nor the kernel takes more.
    for _ in 0..100 {
        assert!(poll_with(&mut write, &count).is_pending());
        proactor.park(Some(Duration::ZERO)).unwrap();
    }
    socket2::SockRef::from(&far)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
    drop(far);
    // Polled only when it is woken.
    let mut rings = count.get();
    let mut parks = 0;
    let result = loop {
        if count.get() > rings {
            rings = count.get();
            if let Poll::Ready(result) = poll_with(&mut write, &count) {
                break result;
            }
        }
        parks += 1;
        assert!(parks < 1000, "nobody tells the writer");
        proactor.park(Some(Duration::from_millis(10))).unwrap();
    };
    assert!(result.is_err());
}

#[test]
fn an_error_that_the_first_in_line_does_not_take_goes_to_the_second() {
    if !alone_with_few_descriptors(
        "wakers::an_error_that_the_first_in_line_does_not_take_goes_to_the_second",
    ) {
        return;
    }
    let mut proactor = proactor();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().into();
    let acceptor = Acceptor::new(proactor.handle().adopt(listener));
    let client = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let (first_count, second_count) = (Arc::<Count>::default(), Arc::<Count>::default());
    let mut first = acceptor.accept();
    let mut second = acceptor.accept();
    assert!(poll_with(&mut first, &first_count).is_pending());
    assert!(poll_with(&mut second, &second_count).is_pending());
    let mut hog = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        hog.push(file);
    }
    client.connect(&address).unwrap();
    while first_count.get() == 0 {
        proactor.park(None).unwrap();
    }
    drop(first);
    assert_eq!(second_count.get(), 1, "the error was passed on");
    let Poll::Ready(Err(error)) = poll_with(&mut second, &second_count) else {
        panic!("the error is the second one's now");
    };
    assert_eq!(error.raw_os_error(), Some(libc::EMFILE));
}

#[test]
fn a_park_that_does_not_wait_takes_the_notification_too() {
    let mut proactor = proactor();
    proactor.unparker().unpark();
    proactor.park(Some(Duration::ZERO)).unwrap();
    let before = proactor.now();
    proactor.park(Some(Duration::from_millis(2))).unwrap();
    assert!(proactor.now() - before >= Duration::from_millis(2));
}

#[test]
fn a_writer_and_a_flush_are_woken_when_the_peer_reads() {
    const TOTAL: usize = 5_000_000;
    let mut proactor = proactor();
    let (near, mut far) = tcp_pair();
    let mut sender = Sender::new(proactor.handle().adopt(near));
    let reader = std::thread::spawn(move || {
        let mut bytes = vec![0; TOTAL];
        far.read_exact(&mut bytes).unwrap();
    });
    let bytes = vec![1; TOTAL];
    let mut both = Box::pin(async {
        sender.write_all(&bytes).await?;
        sender.flush().await
    });
    // Polled only when it is woken.
    let count = Arc::<Count>::default();
    let mut wakes = 0;
    let mut polled = poll_with(&mut both, &count);
    let mut idle = 0;
    while polled.is_pending() {
        proactor.park(Some(Duration::from_millis(10))).unwrap();
        idle += 1;
        assert!(idle < 500, "nobody tells the writer");
        if count.get() > wakes {
            (wakes, idle) = (count.get(), 0);
            polled = poll_with(&mut both, &count);
        }
    }
    assert!(matches!(polled, Poll::Ready(Ok(()))));
    reader.join().unwrap();
}

//! Channels: whose going ends them, and what becomes of the items.

use std::any::Any;
use std::cell::RefCell;
use std::error::Error;
use std::io;
use std::rc::Rc;

use ringloop_sync::hosted::{self, Receiver, Sender};
use ringloop_sync::{RecvError, SendError, TryRecvError, TrySendError};

use crate::items::{Drops, Fuse};
use crate::support::Task;
use crate::test_host::{Cancelled, TestHost};

fn channel<T>(capacity: usize) -> (Sender<T, TestHost>, Receiver<T, TestHost>) {
    hosted::channel(capacity)
}

#[test]
fn items_are_received_in_order_by_whoever_comes() {
    let (sender, receiver) = channel(2);
    let (other_sender, other_receiver) = (sender.clone(), receiver.clone());
    sender.try_send(1).unwrap();
    assert_eq!(Task::new(other_sender.send(2)).ends_at_once(), Ok(()));
    assert!(receiver.is_full());
    let mut send = Task::new(sender.send(3));
    send.waits();
    assert_eq!(other_receiver.try_recv(), Ok(1));
    assert_eq!(send.ends(), Ok(()));
    assert_eq!(Task::new(receiver.recv()).ends_at_once(), Ok(2));
    assert_eq!(Task::new(other_receiver.next()).ends_at_once(), Ok(Some(3)));
    assert!(sender.is_empty());
}

#[test]
fn a_rendezvous_completes_when_both_are_there() {
    let (sender, receiver) = channel(0);
    assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
    let mut send = Task::new(sender.send(2));
    send.waits();
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(send.ends(), Ok(()));
    let mut recv = Task::new(receiver.recv());
    recv.waits();
    assert_eq!(sender.try_send(3), Ok(()));
    assert_eq!(recv.ends(), Ok(3));
    assert_eq!(sender.capacity(), Some(0));
}

#[test]
fn an_unbounded_channel_has_room() {
    let (sender, receiver) = hosted::unbounded_channel::<_, TestHost>();
    for number in 0..1000 {
        sender.try_send(number).unwrap();
    }
    assert_eq!((sender.len(), receiver.len()), (1000, 1000));
    assert_eq!((sender.capacity(), receiver.capacity()), (None, None));
    drop(sender);
    let mut sum = 0;
    while let Ok(Some(number)) = Task::new(receiver.next()).ends_at_once() {
        sum += number;
    }
    assert_eq!(sum, 499_500);
}

#[test]
fn receivers_get_what_is_left_when_the_last_sender_is_gone() {
    let (sender, receiver) = channel(2);
    let other = sender.clone();
    sender.try_send(1).unwrap();
    drop(sender);
    assert_eq!(receiver.try_recv(), Ok(1));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    other.try_send(2).unwrap();
    drop(other);
    assert!(receiver.is_closed());
    assert_eq!(Task::new(receiver.recv()).ends_at_once(), Ok(2));
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    let received = Task::new(receiver.recv()).ends_at_once();
    assert_eq!(received, Err(RecvError::Closed));
    assert_eq!(Task::new(receiver.next()).ends_at_once(), Ok(None));
}

#[test]
fn receivers_that_wait_are_told_when_the_last_sender_is_gone() {
    for given in 0..=2 {
        let (sender, receiver) = channel(2);
        let other = receiver.clone();
        let mut first = Task::new(receiver.recv());
        let mut second = Task::new(other.next());
        first.waits();
        second.waits();
        for number in 0..given {
            sender.try_send(number).unwrap();
        }
        drop(sender);
        let expected = if given > 0 {
            Ok(0)
        } else {
            Err(RecvError::Closed)
        };
        assert_eq!(first.ends(), expected);
        assert_eq!(second.ends(), Ok((given > 1).then_some(1)));
    }
}

#[test]
fn senders_have_their_items_back_when_the_last_receiver_is_gone() {
    for capacity in 0..=1_usize {
        let drops = Drops::default();
        let (sender, receiver) = channel(capacity);
        let other = receiver.clone();
        for _ in 0..capacity {
            sender.try_send(drops.item(9)).unwrap();
        }
        let mut sends = [1, 2].map(|number| Task::new(sender.send(drops.item(number))));
        sends.iter_mut().for_each(Task::waits);
        drop(receiver);
        assert!(!sends[0].is_woken());
        assert_eq!(drops.count(), 0);
        drop(other);
        assert_eq!(drops.sorted(), vec![9; capacity], "what is left is dropped");
        for (send, number) in sends.iter_mut().zip([1, 2]) {
            let error = send.ends().unwrap_err();
            assert!(error.is_closed());
            assert_eq!(error.into_item().number, number);
        }
        assert!(sender.is_closed());
        assert_eq!(
            sender
                .try_send(drops.item(3))
                .unwrap_err()
                .into_item()
                .number,
            3
        );
        let sent = Task::new(sender.send(drops.item(4))).ends_at_once();
        assert_eq!(sent.unwrap_err().into_item().number, 4);
        assert_eq!(drops.count(), capacity + 4, "nothing twice");
    }
}

#[test]
fn close_ends_it_for_all() {
    for is_by_sender in [true, false] {
        let (sender, receiver) = channel(1);
        sender.try_send(1).unwrap();
        let other = sender.clone();
        let mut send = Task::new(other.send(2));
        send.waits();
        if is_by_sender {
            sender.close();
        } else {
            receiver.close();
        }
        assert!(sender.is_closed() && receiver.is_closed());
        assert_eq!(send.ends(), Err(SendError::Closed(2)));
        assert_eq!(sender.try_send(3), Err(TrySendError::Closed(3)));
        assert_eq!(receiver.try_recv(), Ok(1));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
    }
}

#[test]
fn who_is_cancelled_or_gone_loses_nothing() {
    for is_cancelled in [true, false] {
        for is_given in [true, false] {
            let (sender, receiver) = channel(1);
            let mut first = Task::new(receiver.recv());
            let mut second = Task::new(receiver.recv());
            first.waits();
            second.waits();
            if is_given {
                sender.try_send(1).unwrap();
            }
            let mut got = Vec::new();
            if is_cancelled {
                first.cancel();
                match first.ends() {
                    Ok(number) => got.push(number),
                    Err(error) => assert_eq!(error, RecvError::Cancelled(Cancelled)),
                }
                assert_eq!(got.len(), usize::from(is_given), "the value wins");
            } else {
                first.abort();
            }
            sender.try_send(2).unwrap();
            got.push(second.ends().unwrap());
            got.extend(receiver.try_recv());
            let expected: &[i32] = if is_given { &[1, 2] } else { &[2] };
            assert_eq!(got, expected);
        }
    }
    let (sender, receiver) = channel(0);
    let mut send = Task::new(sender.send(1));
    send.waits();
    send.cancel();
    assert_eq!(send.ends(), Err(SendError::Cancelled(1, Cancelled)));
    let mut send = Task::new(sender.send(2));
    send.waits();
    send.abort();
    assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
    let mut next = Task::new(receiver.next());
    next.cancel();
    assert_eq!(next.ends(), Err(Cancelled));
}

#[test]
fn destructors_of_what_is_left_may_use_the_channel() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let (sender, receiver) = channel::<Box<dyn Any>>(3);
    let waiting = sender.clone();
    for number in 0..3 {
        let (inner, log) = (sender.clone(), Rc::clone(&log));
        let item = Box::new(Fuse(move || {
            let is_closed = inner
                .try_send(Box::new(()))
                .is_err_and(|error| error.is_closed());
            let statistics = inner.statistics();
            log.borrow_mut().push((number, is_closed, statistics.len));
        }));
        sender.try_send(item).unwrap();
    }
    let mut send = Task::new(waiting.send(Box::new(())));
    send.waits();
    drop(sender);
    drop(receiver);
    assert_eq!(*log.borrow(), [(0, true, 0), (1, true, 0), (2, true, 0)]);
    assert!(send.ends().is_err_and(|error| error.is_closed()));
    drop(send);
    assert_eq!(
        waiting.statistics().senders,
        1,
        "those in the items are gone"
    );
}

#[test]
fn all_is_seen_in_the_statistics() {
    let (sender, receiver) = channel(1);
    let others = (sender.clone(), receiver.clone(), receiver.clone());
    let mut recv = Task::new(receiver.recv());
    recv.waits();
    let statistics = sender.statistics();
    assert_eq!((statistics.senders, statistics.receivers), (2, 3));
    assert_eq!(
        (statistics.waiting_senders, statistics.waiting_receivers),
        (0, 1)
    );
    recv.abort();
    drop(recv);
    sender.try_send(1).unwrap();
    let mut send = Task::new(sender.send(2));
    send.waits();
    assert_eq!(
        format!("{receiver:?}"),
        "Receiver { len: 1, capacity: 1, is_closed: false, senders: 2, receivers: 3, \
         waiting_senders: 1, waiting_receivers: 0 }"
    );
    drop(others);
    let statistics = receiver.statistics();
    assert_eq!((statistics.senders, statistics.receivers), (1, 1));
    assert!(format!("{sender:?}").starts_with("Sender { len: 1, "));
    assert_eq!(statistics, sender.statistics());
}

#[test]
fn errors_say_what_happened_and_become_io_errors() {
    struct Opaque;

    const ENDED: &str =
        "the channel is closed or has no receiver left; `into_item` gives the item back";
    const DRAINED: &str = "the channel is closed or has no sender left, and nothing is left in it";

    fn check(error: impl Error + Into<io::Error>, text: &str, kind: io::ErrorKind) {
        assert_eq!(error.to_string(), text);
        assert_eq!(error.source().is_some(), kind == io::ErrorKind::Other);
        let error: io::Error = error.into();
        assert_eq!(error.kind(), kind);
    }
    type Send = SendError<Opaque, Cancelled>;
    type Recv = RecvError<Cancelled>;
    check(Send::Closed(Opaque), ENDED, io::ErrorKind::BrokenPipe);
    check(
        Send::Cancelled(Opaque, Cancelled),
        "the item was not sent: cancelled",
        io::ErrorKind::Other,
    );
    check(
        TrySendError::Full(Opaque),
        "the channel is full; `send` waits for room",
        io::ErrorKind::WouldBlock,
    );
    check(
        TrySendError::Closed(Opaque),
        ENDED,
        io::ErrorKind::BrokenPipe,
    );
    check(Recv::Closed, DRAINED, io::ErrorKind::UnexpectedEof);
    check(
        Recv::Cancelled(Cancelled),
        "no item was received: cancelled",
        io::ErrorKind::Other,
    );
    check(
        TryRecvError::Empty,
        "the channel is empty; `recv` waits for an item",
        io::ErrorKind::WouldBlock,
    );
    check(TryRecvError::Closed, DRAINED, io::ErrorKind::UnexpectedEof);
}

#[test]
fn the_ends_of_a_oneshot_are_those_of_a_postbox() {
    let (setter, mut postbox) = ringloop_sync::oneshot();
    setter.set(7).unwrap();
    assert_eq!(postbox.try_take(), Some(Ok(7)));
}

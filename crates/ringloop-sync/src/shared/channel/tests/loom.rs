use std::sync::Arc as StdArc;
use std::task::Poll;

use ::loom::thread;

use crate::shared::tests::{Polled, block_on, model};
use crate::shared::{RecvError, SendError, TryRecvError, TrySendError, channel};

#[test]
fn items_of_two_threads_arrive_in_order() {
    for capacity in [0, 1, 3] {
        model(move || {
            let (sender, receiver) = channel(capacity);
            let other = {
                let sender = sender.clone();
                thread::spawn(move || sender.blocking_send(10).unwrap())
            };
            let both = thread::spawn(move || {
                sender.blocking_send(20).unwrap();
                sender.blocking_send(21).unwrap();
            });
            let mut got = [(); 3].map(|()| block_on(receiver.recv()).unwrap());
            assert_eq!(block_on(receiver.recv()), Err(RecvError::Closed));
            let place = |item| got.iter().position(|&it| it == item);
            assert!(place(20) < place(21));
            got.sort_unstable();
            assert_eq!(got, [10, 20, 21]);
            other.join().unwrap();
            both.join().unwrap();
        });
    }
}

#[test]
fn a_task_sends_to_two_threads() {
    for capacity in [0, 1] {
        model(move || {
            let (sender, receiver) = channel(capacity);
            let receive = |receiver: crate::shared::Receiver<u32>| {
                thread::spawn(move || receiver.blocking_recv().unwrap())
            };
            let others = [receive(receiver.clone()), receive(receiver)];
            block_on(sender.send(1)).unwrap();
            block_on(sender.send(2)).unwrap();
            let sum: u32 = others.map(|other| other.join().unwrap()).iter().sum();
            assert_eq!(sum, 3);
        });
    }
}

/// A receiver goes while it is given an item, with another one behind or beside it.
#[test]
fn an_item_passes_by_who_is_gone() {
    for capacity in [0, 1] {
        model(move || {
            let (sender, receiver) = channel(capacity);
            let gone = {
                let receiver = receiver.clone();
                thread::spawn(move || Polled::new(receiver.recv()).poll())
            };
            let stays = thread::spawn(move || receiver.blocking_recv());
            sender.blocking_send(1).unwrap();
            // The first may have received it, at once.
            let got = gone.join().unwrap();
            drop(sender);
            let other = stays.join().unwrap();
            match got {
                Poll::Ready(got) => assert_eq!((got, other), (Ok(1), Err(RecvError::Closed))),
                Poll::Pending => assert_eq!(other, Ok(1)),
            }
        });
    }
}

/// A sender goes while its item moves in, with another one behind it.
#[test]
fn a_place_passes_by_who_is_gone() {
    for capacity in [0, 1] {
        model(move || {
            let (sender, receiver) = channel(capacity);
            if capacity == 1 {
                sender.try_send(0).unwrap();
            }
            let mut gone = Polled::new(sender.send(1));
            assert!(gone.poll().is_pending());
            let other = {
                let sender = sender.clone();
                thread::spawn(move || sender.blocking_send(2).unwrap())
            };
            let received = thread::spawn(move || {
                let mut got = Vec::new();
                while let Some(item) = block_on(receiver.next()) {
                    got.push(item);
                }
                got
            });
            drop(gone);
            drop(sender);
            other.join().unwrap();
            let got = received.join().unwrap();
            let got: Vec<_> = got.into_iter().filter(|&item| item != 0).collect();
            assert!(got == [2] || got == [1, 2], "{got:?}");
        });
    }
}

/// Whatever comes first, the item comes out, or back.
#[test]
fn a_close_loses_nothing() {
    for capacity in [0, 1] {
        model(move || {
            let (sender, receiver) = channel(capacity);
            let other = {
                let sender = sender.clone();
                thread::spawn(move || sender.blocking_send(7))
            };
            let closes = thread::spawn(move || sender.close());
            let got = receiver.blocking_recv();
            closes.join().unwrap();
            match other.join().unwrap() {
                Ok(()) => assert_eq!(got, Ok(7)),
                Err(error) => {
                    assert_eq!(error, SendError::Closed(7));
                    assert_eq!(got, Err(RecvError::Closed));
                }
            }
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        });
    }
}

/// The last receiver goes while an item comes: it is given back, or dropped, and once.
#[test]
fn the_last_receiver_leaves_nothing() {
    model(|| {
        let (sender, receiver) = channel(1);
        let item = StdArc::new(());
        let sent = StdArc::clone(&item);
        let other = thread::spawn(move || sender.try_send(sent));
        drop(receiver);
        if let Err(error) = other.join().unwrap() {
            assert!(matches!(error, TrySendError::Closed(_)));
            assert_eq!(StdArc::strong_count(&item), 2);
            drop(error);
        }
        assert_eq!(StdArc::strong_count(&item), 1);
    });
}

/// A closed channel ends only when the last reserved item was taken or passed on.
#[test]
fn the_last_item_is_not_lost_when_its_receiver_goes() {
    model(|| {
        let (sender, receiver) = channel(1);
        let mut called = Polled::new(receiver.recv());
        assert!(called.poll().is_pending());
        sender.try_send(1).unwrap();
        drop(sender);
        assert!(called.is_woken());
        let other = {
            let receiver = receiver.clone();
            thread::spawn(move || receiver.blocking_recv())
        };
        drop(called);
        assert_eq!(other.join().unwrap(), Ok(1));
    });
}

/// The same, if it does take the item: the other one is told of the end.
#[test]
fn the_end_is_told_to_who_waits() {
    model(|| {
        let (sender, receiver) = channel(1);
        let mut called = Polled::new(receiver.recv());
        assert!(called.poll().is_pending());
        sender.try_send(1).unwrap();
        drop(sender);
        let other = {
            let receiver = receiver.clone();
            thread::spawn(move || receiver.blocking_recv())
        };
        assert_eq!(called.poll(), Poll::Ready(Ok(1)));
        assert_eq!(other.join().unwrap(), Err(RecvError::Closed));
    });
}

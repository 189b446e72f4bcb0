use std::sync::Arc as StdArc;
use std::task::Poll;
use std::time::Duration;

use ::loom::thread;

use crate::shared::tests::{Polled, block_on, model};
use crate::shared::{RecvError, SendError, SendTimeoutError, TryRecvError, TrySendError, channel};

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

/// A receiver that was called goes, with a sender behind a full channel, while it is closed: each
/// item comes out once, or back.
#[test]
fn a_close_meets_a_receiver_that_goes_and_a_sender_that_waits() {
    for capacity in [0, 1] {
        model(move || {
            let (sender, receiver) = channel(capacity);
            let mut called = Polled::new(receiver.recv());
            assert!(called.poll().is_pending());
            sender.try_send(1).unwrap();
            if capacity == 1 {
                sender.try_send(2).unwrap();
            }
            let sends = {
                let sender = sender.clone();
                thread::spawn(move || sender.blocking_send(3))
            };
            let closes = thread::spawn(move || sender.close());
            drop(called);
            let got: Vec<_> = std::iter::from_fn(|| receiver.blocking_recv().ok()).collect();
            let is_sent = match sends.join().unwrap() {
                Ok(()) => true,
                Err(error) => {
                    assert_eq!(error, SendError::Closed(3));
                    false
                }
            };
            closes.join().unwrap();
            let expected = [1, 2, 3].into_iter();
            let expected = expected.filter(|item| match item {
                2 => capacity == 1,
                3 => is_sent,
                _ => true,
            });
            assert!(got.iter().copied().eq(expected), "{got:?} {is_sent}");
        });
    }
}

/// A receiver gives up while an item comes, with another one behind it.
#[test]
fn a_receiver_that_gives_up_loses_nothing() {
    for capacity in [0, 1] {
        model(move || {
            let (sender, receiver) = channel(capacity);
            let gives_up = {
                let receiver = receiver.clone();
                thread::spawn(move || receiver.blocking_recv_timeout(Duration::ZERO))
            };
            let stays = thread::spawn(move || receiver.blocking_recv());
            sender.blocking_send(1).unwrap();
            drop(sender);
            let got = (gives_up.join().unwrap(), stays.join().unwrap());
            match got {
                (Ok(1), Err(RecvError::Closed)) | (Err(_), Ok(1)) => {}
                other => panic!("{other:?}"),
            }
        });
    }
}

/// A sender gives up while a place gets free, with another one behind it.
#[test]
fn a_sender_that_gives_up_has_its_item_or_has_sent_it() {
    for capacity in [0, 1] {
        model(move || {
            let (sender, receiver) = channel(capacity);
            if capacity == 1 {
                sender.try_send(0).unwrap();
            }
            let gives_up = {
                let sender = sender.clone();
                thread::spawn(move || sender.blocking_send_timeout(1, Duration::ZERO))
            };
            let stays = thread::spawn(move || sender.blocking_send(2).unwrap());
            let mut got = Vec::new();
            while let Ok(item) = receiver.blocking_recv() {
                got.push(item);
            }
            stays.join().unwrap();
            got.sort_unstable();
            got.retain(|&item| item != 0);
            match gives_up.join().unwrap() {
                Ok(()) => assert_eq!(got, [1, 2]),
                Err(error) => assert_eq!((error, got), (SendTimeoutError::Timeout(1), vec![2])),
            }
        });
    }
}

/// The last two senders go at once, of which one has sent, while a receiver falls asleep.
#[test]
fn the_last_sender_ends_the_wait_of_a_receiver() {
    for capacity in [0, 2] {
        model(move || {
            let (sender, receiver) = channel(capacity);
            let goes = {
                let sender = sender.clone();
                thread::spawn(move || drop(sender))
            };
            let sends = thread::spawn(move || sender.try_send(1).is_ok());
            let got = block_on(receiver.recv());
            let then = block_on(receiver.recv());
            goes.join().unwrap();
            let is_sent = sends.join().unwrap();
            assert_eq!(
                got,
                if is_sent {
                    Ok(1)
                } else {
                    Err(RecvError::Closed)
                }
            );
            assert_eq!(then, Err(RecvError::Closed));
            assert!(is_sent || capacity == 0);
        });
    }
}

/// The last two receivers go at once, of which one has received, while a sender falls asleep.
#[test]
fn the_last_receiver_ends_the_wait_of_a_sender() {
    for capacity in [0, 1] {
        model(move || {
            let (sender, receiver) = channel(capacity);
            let item = StdArc::new(());
            if capacity == 1 {
                sender.try_send(StdArc::clone(&item)).unwrap();
            }
            let goes = {
                let receiver = receiver.clone();
                thread::spawn(move || drop(receiver))
            };
            let receives = thread::spawn(move || receiver.try_recv().is_ok());
            let sent = sender.blocking_send(StdArc::clone(&item));
            goes.join().unwrap();
            let is_received = receives.join().unwrap();
            assert!(is_received || sent.is_err());
            drop(sent);
            assert_eq!(StdArc::strong_count(&item), 1);
        });
    }
}

/// The looks that lock one side only, while somebody begins to wait on the other.
#[test]
fn looks_at_one_side_strand_nobody() {
    model(|| {
        let (sender, receiver) = channel(1);
        sender.try_send(0).unwrap();
        let waits = {
            let sender = sender.clone();
            thread::spawn(move || sender.blocking_send(1).unwrap())
        };
        let looks = {
            let receiver = receiver.clone();
            thread::spawn(move || receiver.try_recv().ok())
        };
        let first = receiver.try_recv().ok();
        let looked = looks.join().unwrap();
        // Whoever had the first item has let the sender in, or it found the place.
        assert!(first.or(looked).is_some());
        waits.join().unwrap();
        let mut got: Vec<_> = [first, looked, receiver.try_recv().ok()]
            .into_iter()
            .flatten()
            .collect();
        got.sort_unstable();
        assert_eq!(got, [0, 1]);
        assert!(sender.is_empty());
    });
    model(|| {
        let (sender, receiver) = channel(2);
        let waits = {
            let receiver = receiver.clone();
            thread::spawn(move || receiver.blocking_recv().unwrap())
        };
        let looks = {
            let sender = sender.clone();
            thread::spawn(move || sender.try_send(1).unwrap())
        };
        sender.try_send(2).unwrap();
        looks.join().unwrap();
        let mut got = [waits.join().unwrap(), receiver.try_recv().unwrap()];
        got.sort_unstable();
        assert_eq!(got, [1, 2]);
    });
}

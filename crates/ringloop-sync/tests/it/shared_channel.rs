//! The channel between threads: order, places, ends, and what becomes of items nobody came for.

use std::convert::Infallible;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ringloop_sync::shared::{
    self, RecvError, RecvTimeoutError, SendError, SendTimeoutError, TryRecvError, TrySendError,
    hosted,
};

use crate::support::{Cancelled, Task, TestHost, assert_send, assert_send_sync, is_long};

type Sender<T> = hosted::Sender<T, TestHost>;
type Receiver<T> = hosted::Receiver<T, TestHost>;

fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    hosted::channel(capacity)
}

fn drain<T>(receiver: &Receiver<T>) -> Vec<T> {
    std::iter::from_fn(|| receiver.try_recv().ok()).collect()
}

#[test]
fn items_come_out_as_they_went_in() {
    for capacity in [1, 3, 100, usize::MAX] {
        let (sender, receiver) = channel(capacity);
        let mut expected = 0;
        for item in 0..1000 {
            // At times there are some in it, and at times none.
            while sender.len() >= capacity.min(1 + item % 7) {
                assert_eq!(receiver.try_recv(), Ok(expected));
                expected += 1;
            }
            sender.try_send(item).unwrap();
        }
        assert_eq!(drain(&receiver), (expected..1000).collect::<Vec<_>>());
    }
}

#[test]
fn a_full_channel_makes_senders_wait_in_line() {
    for capacity in 1..4 {
        let (sender, receiver) = channel(capacity);
        for item in 0..capacity {
            sender.try_send(item).unwrap();
        }
        assert_eq!(sender.try_send(100), Err(TrySendError::Full(100)));
        let mut tasks = [10, 11, 12].map(|item| Task::new(sender.send(item)));
        tasks.iter_mut().for_each(Task::waits);
        assert_eq!(sender.statistics().waiting_senders, 3);
        for (taken, task) in tasks.iter_mut().enumerate() {
            let first = if taken < capacity {
                taken
            } else {
                10 + taken - capacity
            };
            assert_eq!(receiver.try_recv(), Ok(first));
            assert_eq!(receiver.len(), capacity, "the next one has moved in");
            assert_eq!(
                sender.try_send(100),
                Err(TrySendError::Full(100)),
                "nobody barges in"
            );
            assert_eq!(task.ends(), Ok(()));
        }
        assert_eq!(drain(&receiver).last(), Some(&12));
        assert_eq!(sender.try_send(100), Ok(()));
    }
}

#[test]
fn items_go_to_receivers_in_line() {
    for capacity in [0, 1, 5] {
        let (sender, receiver) = channel(capacity);
        let mut tasks = [(); 3].map(|()| Task::new(receiver.recv()));
        tasks.iter_mut().for_each(Task::waits);
        for item in 0..3 {
            sender.try_send(item).unwrap();
        }
        assert_eq!(
            receiver.try_recv(),
            Err(TryRecvError::Empty),
            "they are reserved"
        );
        let mut late = Task::new(receiver.recv());
        late.waits();
        assert_eq!(receiver.statistics().waiting_receivers, 1);
        // Who runs first has the first item, and each has one.
        let got = tasks.each_mut().map(|task| task.ends().unwrap());
        assert_eq!(got, [0, 1, 2]);
        assert!(!late.is_woken());
    }
}

#[test]
fn an_item_passes_by_who_is_cancelled_or_gone() {
    for capacity in [0, 1, 5] {
        for is_cancelled in [true, false] {
            for is_called in [true, false] {
                let (sender, receiver) = channel(capacity);
                let mut first = Task::new(receiver.recv());
                let mut second = Task::new(receiver.recv());
                first.waits();
                second.waits();
                if is_called {
                    sender.try_send(1).unwrap();
                }
                if is_cancelled {
                    first.cancel();
                    let cancelled = Err(RecvError::Cancelled(Cancelled));
                    let expected = if is_called { Ok(1) } else { cancelled };
                    assert_eq!(first.ends(), expected, "the value wins");
                } else {
                    first.abort();
                }
                if is_cancelled || !is_called {
                    sender.try_send(2).unwrap();
                }
                let expected = if is_cancelled || !is_called { 2 } else { 1 };
                assert_eq!(second.ends(), Ok(expected));
                assert_eq!(receiver.try_recv(), Err(TryRecvError::Empty));
            }
        }
    }
}

#[test]
fn an_item_that_nobody_came_for_is_there_for_the_next() {
    for capacity in [0, 1] {
        let (sender, receiver) = channel(capacity);
        let mut task = Task::new(receiver.recv());
        task.waits();
        sender.try_send(1).unwrap();
        task.abort();
        assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
        let mut waits = Task::new(sender.send(2));
        waits.waits();
        assert_eq!(receiver.try_recv(), Ok(1));
        if capacity == 0 {
            assert!(!waits.is_woken(), "there is no place between");
        }
        assert_eq!(receiver.try_recv(), Ok(2));
        assert_eq!(waits.ends(), Ok(()));
    }
}

#[test]
fn a_sender_that_goes_takes_its_item_back() {
    for capacity in [0, 1, 2] {
        for is_cancelled in [true, false] {
            for has_moved_in in [true, false] {
                let (sender, receiver) = channel(capacity);
                for _ in 0..capacity {
                    sender.try_send(Arc::new(0)).unwrap();
                }
                let item = Arc::new(1);
                let mut first = Task::new(sender.send(Arc::clone(&item)));
                let mut second = Task::new(sender.send(Arc::new(2)));
                first.waits();
                second.waits();
                if has_moved_in {
                    receiver.try_recv().unwrap();
                }
                if is_cancelled {
                    first.cancel();
                    let sent = first.ends();
                    match sent {
                        Ok(()) => assert!(has_moved_in),
                        Err(SendError::Cancelled(back, Cancelled)) => {
                            assert!(!has_moved_in && Arc::ptr_eq(&back, &item));
                        }
                        Err(other) => panic!("{other:?}"),
                    }
                } else {
                    first.abort();
                    if !has_moved_in {
                        assert_eq!(Arc::strong_count(&item), 1);
                    }
                }
                let rest: Vec<_> = drain(&receiver).iter().map(|item| **item).collect();
                assert_eq!(second.ends().ok(), Some(()));
                assert_eq!(rest.contains(&1), has_moved_in && capacity > 0);
                assert_eq!(rest.last(), Some(&2));
            }
        }
    }
}

#[test]
fn a_cancelled_task_neither_sends_nor_receives() {
    let (sender, receiver) = channel(1);
    let mut task = Task::new(sender.send(1));
    task.cancel();
    assert_eq!(task.ends(), Err(SendError::Cancelled(1, Cancelled)));
    sender.try_send(2).unwrap();
    let mut task = Task::new(receiver.recv());
    task.cancel();
    assert_eq!(task.ends(), Err(RecvError::Cancelled(Cancelled)));
    let mut task = Task::new(receiver.next());
    task.cancel();
    assert_eq!(task.ends(), Err(Cancelled));
    assert_eq!(receiver.len(), 1);
}

#[test]
fn capacity_zero_is_a_meeting() {
    let (sender, receiver) = channel(0);
    assert_eq!(sender.try_send(1), Err(TrySendError::Full(1)));
    let mut first = Task::new(sender.send(1));
    let mut second = Task::new(sender.send(2));
    first.waits();
    second.waits();
    let mut receives = Task::new(receiver.recv());
    assert_eq!(receives.ends_at_once(), Ok(1));
    assert_eq!(first.ends(), Ok(()));
    assert!(!second.is_woken());
    assert_eq!(receiver.try_recv(), Ok(2));
    assert_eq!(second.ends(), Ok(()));
    assert_eq!(receiver.statistics().len, 0);
}

#[test]
fn closing_lets_out_what_is_in_and_gives_back_what_waits() {
    for by_receiver in [true, false] {
        let (sender, receiver) = channel(1);
        sender.try_send(1).unwrap();
        let mut waits = Task::new(sender.send(2));
        waits.waits();
        if by_receiver {
            receiver.close();
        } else {
            sender.close();
        }
        assert!(sender.is_closed() && receiver.is_closed() && receiver.is_full());
        assert_eq!(waits.ends(), Err(SendError::Closed(2)));
        assert_eq!(sender.try_send(3), Err(TrySendError::Closed(3)));
        assert_eq!(
            Task::new(sender.send(3)).ends_at_once(),
            Err(SendError::Closed(3))
        );
        assert_eq!(sender.blocking_send(3), Err(SendError::Closed(3)));
        assert_eq!(Task::new(receiver.next()).ends_at_once(), Ok(Some(1)));
        assert_eq!(Task::new(receiver.next()).ends_at_once(), Ok(None));
        assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(receiver.blocking_recv(), Err(RecvError::Closed));
    }
}

#[test]
fn receivers_that_wait_are_told_of_the_end() {
    let (sender, receiver) = channel::<u8>(1);
    let other = sender.clone();
    let mut tasks = [(); 2].map(|()| Task::new(receiver.recv()));
    tasks.iter_mut().for_each(Task::waits);
    drop(sender);
    assert!(!tasks[0].is_woken(), "there is another sender");
    drop(other);
    for task in &mut tasks {
        assert_eq!(task.ends(), Err(RecvError::Closed));
    }
}

#[test]
fn the_end_waits_for_reserved_items() {
    for is_taken in [true, false] {
        for is_there_before in [true, false] {
            let (sender, receiver) = channel(1);
            let mut called = Task::new(receiver.recv());
            let mut next = Task::new(receiver.recv());
            called.waits();
            if is_there_before {
                next.waits();
            }
            sender.try_send(1).unwrap();
            drop(sender);
            assert_eq!(
                receiver.try_recv(),
                Err(TryRecvError::Empty),
                "it may come back"
            );
            if !is_there_before {
                next.waits();
            }
            assert!(!next.is_woken());
            if is_taken {
                assert_eq!(called.ends(), Ok(1));
                assert_eq!(next.ends(), Err(RecvError::Closed));
            } else {
                called.abort();
                assert_eq!(next.ends(), Ok(1));
            }
            assert_eq!(receiver.try_recv(), Err(TryRecvError::Closed));
        }
    }
}

#[test]
fn the_last_receiver_drops_what_is_in() {
    let (sender, receiver) = channel(5);
    let other = receiver.clone();
    let item = Arc::new(());
    for _ in 0..3 {
        sender.try_send(Arc::clone(&item)).unwrap();
    }
    drop(receiver);
    assert!(!sender.is_closed());
    drop(other);
    assert_eq!(Arc::strong_count(&item), 1);
    assert!(sender.is_closed());
    assert!(sender.try_send(item).is_err());
}

/// The destructor of an item uses its channel.
#[test]
fn foreign_code_runs_outside_of_the_locks() {
    struct Nosy(Option<shared::Sender<Self>>);
    impl Drop for Nosy {
        fn drop(&mut self) {
            if let Some(sender) = &self.0 {
                assert!(sender.try_send(Self(None)).is_err());
            }
        }
    }
    let (sender, receiver) = shared::channel(2);
    sender
        .try_send(Nosy(Some(sender.clone())))
        .unwrap_or_else(|_| panic!());
    drop(receiver);

    let (sender, receiver) = shared::channel(0);
    let mut task = Task::new(sender.send(Nosy(Some(sender.clone()))));
    task.waits();
    task.abort();
    drop(receiver);
}

#[test]
fn timeouts_give_back_the_item() {
    let (sender, receiver) = channel(1);
    for timeout in [Duration::ZERO, Duration::from_millis(1)] {
        assert_eq!(
            receiver.blocking_recv_timeout(timeout),
            Err(RecvTimeoutError::Timeout)
        );
        assert_eq!(sender.blocking_send_timeout(1, timeout), Ok(()));
        let full = sender.blocking_send_timeout(2, timeout);
        assert_eq!(full, Err(SendTimeoutError::Timeout(2)));
        assert_eq!(receiver.blocking_recv_timeout(timeout), Ok(1));
        let statistics = receiver.statistics();
        assert_eq!(
            (statistics.waiting_senders, statistics.waiting_receivers),
            (0, 0)
        );
    }
    sender.close();
    let timeout = Duration::MAX;
    let closed = sender.blocking_send_timeout(1, timeout);
    assert_eq!(closed, Err(SendTimeoutError::Closed(1)));
    assert_eq!(
        receiver.blocking_recv_timeout(timeout),
        Err(RecvTimeoutError::Closed)
    );
}

#[test]
fn ends_and_futures_go_to_other_threads() {
    let (sender, receiver) = shared::channel(1);
    assert_send_sync(&sender);
    assert_send_sync(&receiver);
    assert_send(&sender.send(std::cell::Cell::new(1)));
    assert_send(&receiver.recv());
    assert_send(&receiver.next());
}

#[test]
fn statistics_and_debug_say_how_things_stand() {
    let (sender, receiver) = channel(3);
    sender.try_send(1).unwrap();
    let _other = receiver.clone();
    let statistics = sender.statistics();
    assert_eq!((statistics.len, statistics.capacity), (1, Some(3)));
    assert_eq!((statistics.senders, statistics.receivers), (1, 2));
    assert!(format!("{sender:?}").contains("capacity: Some(3)"));
    assert!(format!("{receiver:?}").contains("receivers: 2"));
    assert_eq!(
        hosted::unbounded_channel::<u8, TestHost>().0.capacity(),
        None
    );
    assert!(!receiver.is_empty());
}

/// Threads send and receive at once, some come and go; each item arrives once, in order by sender.
#[test]
fn many_threads_exchange_items() {
    let per_sender: u64 = if is_long() { 200_000 } else { 2_000 };
    for capacity in [0, 1, 7, usize::MAX] {
        let (sender, receiver) = shared::channel::<(u64, u64)>(capacity);
        let mut got: Vec<Vec<(u64, u64)>> = thread::scope(|scope| {
            for name in 0..3 {
                let sender = sender.clone();
                scope.spawn(move || {
                    for count in 0..per_sender {
                        let mut item = (name, count);
                        // Some come and go before they stay.
                        for _ in 0..count % 3 {
                            match sender.blocking_send_timeout(item, Duration::ZERO) {
                                Ok(()) => item = (name, u64::MAX),
                                Err(error) => item = error.into_item(),
                            }
                            if item.1 == u64::MAX {
                                break;
                            }
                        }
                        if item.1 == count {
                            sender.blocking_send(item).unwrap();
                        }
                    }
                });
            }
            drop(sender);
            let receivers = [(); 3].map(|()| {
                let receiver = receiver.clone();
                scope.spawn(move || {
                    let mut got = Vec::new();
                    loop {
                        match receiver.blocking_recv_timeout(Duration::ZERO) {
                            Ok(item) => got.push(item),
                            Err(RecvTimeoutError::Closed) => return got,
                            Err(_) => got.extend(receiver.blocking_recv()),
                        }
                    }
                })
            });
            receivers.map(|receiver| receiver.join().unwrap()).into()
        });
        for got in &got {
            for name in 0..3 {
                let counts = got.iter().filter(|item| item.0 == name);
                assert!(counts.is_sorted());
            }
        }
        let mut all: Vec<_> = got.iter_mut().flat_map(std::mem::take).collect();
        all.sort_unstable();
        let expected = (0..3).flat_map(|name| (0..per_sender).map(move |count| (name, count)));
        assert!(all.into_iter().eq(expected));
    }
}

#[test]
fn errors_say_what_to_do_and_become_io_errors() {
    use std::error::Error;
    use std::io::{self, ErrorKind};

    let closed = SendError::<_, Cancelled>::Closed(1);
    let cancelled = SendError::Cancelled(1, Cancelled);
    assert_eq!(
        closed.to_string(),
        "the channel is closed or has no receiver left; `into_item` gives the item back"
    );
    assert_eq!(cancelled.to_string(), "the item was not sent: cancelled");
    assert!(closed.source().is_none() && cancelled.source().is_some());
    assert_eq!(
        format!("{closed:?} {cancelled:?}"),
        "Closed(..) Cancelled(.., Cancelled)"
    );
    assert_eq!(cancelled.into_item(), 1);
    assert_eq!(TrySendError::Full(2).into_item(), 2);
    assert_eq!(
        format!("{:?}", TrySendError::Closed(Cancelled)),
        "Closed(..)"
    );
    assert_eq!(SendTimeoutError::Timeout(3).into_item(), 3);

    let cancelled = RecvError::Cancelled(Cancelled);
    assert_eq!(cancelled.to_string(), "no item was received: cancelled");
    assert!(cancelled.source().is_some() && RecvError::<Cancelled>::Closed.source().is_none());
    assert_eq!(
        TryRecvError::Empty.to_string(),
        "the channel is empty; `recv` waits for an item"
    );
    assert_eq!(
        TryRecvError::Closed.to_string(),
        RecvTimeoutError::Closed.to_string()
    );

    let kind = |error: io::Error| error.kind();
    assert_eq!(
        kind(SendError::<_, Infallible>::Closed(1).into()),
        ErrorKind::BrokenPipe
    );
    assert_eq!(
        kind(RecvError::<Infallible>::Closed.into()),
        ErrorKind::UnexpectedEof
    );
}

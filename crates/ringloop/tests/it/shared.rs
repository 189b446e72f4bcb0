//! Locks and channels between loops, and between a loop and plain threads.

use std::sync::Arc;
use std::thread;

use ringloop::sync::shared::{Mutex, RecvError, channel};

#[test]
fn a_thread_and_a_task_talk() {
    for capacity in [0, 1, 8] {
        let (to_task, inbox) = channel(capacity);
        let (to_thread, answers) = channel(capacity);
        let thread = thread::spawn(move || {
            (0..100)
                .map(|item| {
                    to_task.blocking_send(item).unwrap();
                    answers.blocking_recv().unwrap()
                })
                .sum::<u32>()
        });
        ringloop::run(async move {
            while let Some(item) = inbox.next().await.unwrap() {
                to_thread.send(2 * item).await.unwrap();
            }
        })
        .unwrap();
        assert_eq!(thread.join().unwrap(), 2 * (0..100).sum::<u32>());
    }
}

#[test]
fn two_loops_talk() {
    let (sender, receiver) = channel(2);
    let other = thread::spawn(move || {
        ringloop::run(async move {
            for item in 0..100 {
                sender.send(item).await.unwrap();
            }
        })
    });
    let got = ringloop::run(async move {
        let mut got = Vec::new();
        while let Ok(item) = receiver.recv().await {
            got.push(item);
        }
        got
    });
    other.join().unwrap().unwrap();
    assert!(got.unwrap().into_iter().eq(0..100));
}

#[test]
fn a_thread_blocks_for_a_lock_that_a_task_holds() {
    let mutex = Arc::new(Mutex::new(Vec::new()));
    let other = Arc::clone(&mutex);
    ringloop::run(async move {
        let mut held = mutex.lock().await.unwrap();
        let thread = thread::spawn(move || other.blocking_lock().push("thread"));
        while mutex.statistics().waiting == 0 {
            ringloop::task::yield_now().await.unwrap();
        }
        held.push("task");
        drop(held);
        assert_eq!(*mutex.lock().await.unwrap(), ["task", "thread"]);
        thread.join().unwrap();
    })
    .unwrap();
}

#[test]
fn a_cancelled_task_leaves_the_line() {
    let (sender, receiver) = channel::<u32>(1);
    ringloop::run(async move {
        let receiver = Arc::new(receiver);
        let ours = Arc::clone(&receiver);
        let task = ringloop::spawn(async move { ours.recv().await });
        while receiver.statistics().waiting_receivers == 0 {
            ringloop::task::yield_now().await.unwrap();
        }
        task.cancel("enough");
        assert!(matches!(task.await, Ok(Err(RecvError::Cancelled(_)))));
        sender.try_send(1).unwrap();
        assert_eq!(receiver.try_recv(), Ok(1));
    })
    .unwrap();
}

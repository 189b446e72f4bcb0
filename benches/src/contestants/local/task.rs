//! ringloop's scheduler alone, on the driver that only sleeps.

use std::io;
use std::time::Duration;

use ringloop_core::{Postbox, Setter, ThreadDriver, postbox};
use ringloop_sync::{Receiver, Sender, channel};
use ringloop_task::task::{self, JoinHandle};
use ringloop_task::{Scheduler, time};

use super::hand_over::Channel;
use super::{LocalLoop, Sure};

#[derive(Debug)]
pub(in super::super) struct Task;

impl LocalLoop for Task {
    const NAME: &'static str = "task";

    type Scheduler = Scheduler<ThreadDriver>;
    type Join<T: 'static> = Sure<JoinHandle<T>>;
    type Setter<T: 'static> = Setter<T>;
    type Postbox<T: 'static> = Sure<Postbox<T>>;
    type Channel = SyncChannel;

    fn make() -> io::Result<Self::Scheduler> {
        Ok(Scheduler::new(ThreadDriver::new()))
    }

    fn block_on<F: Future>(scheduler: &mut Self::Scheduler, future: F) -> F::Output {
        scheduler.block_on(future)
    }

    fn spawn<F: Future<Output: 'static> + 'static>(future: F) -> Self::Join<F::Output> {
        Sure(task::spawn(future))
    }

    fn spawn_eager<F: Future<Output: 'static> + 'static>(
        future: F,
    ) -> Option<Self::Join<F::Output>> {
        Some(Sure(task::spawn_eager(future)))
    }

    fn yield_now() -> impl Future {
        task::yield_now()
    }

    fn sleep(duration: Duration) -> impl Future {
        time::sleep(duration)
    }

    fn one_shot<T: 'static>() -> (Self::Setter<T>, Self::Postbox<T>) {
        let (setter, answer) = postbox();
        (setter, Sure(answer))
    }

    fn set<T: 'static>(setter: Self::Setter<T>, value: T) {
        assert!(setter.set(value).is_ok(), "the other end is here");
    }
}

#[derive(Debug)]
pub(in super::super) struct SyncChannel;

impl Channel for SyncChannel {
    type Sender = Sender<u32>;
    type Receiver = Receiver<u32>;

    fn open(capacity: usize) -> Option<(Self::Sender, Self::Receiver)> {
        Some(channel(capacity))
    }

    async fn send(sender: &mut Self::Sender, value: u32) {
        sender.send(value).await.expect("the receiver is there");
    }

    async fn receive(receiver: &mut Self::Receiver) -> Option<u32> {
        receiver.recv().await.ok()
    }
}

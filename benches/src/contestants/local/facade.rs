//! ringloop's facade with its default settings: the same scheduler, on a ring.

use std::io;
use std::time::Duration;

use ringloop::runtime::Runtime;
use ringloop::sync::{Receiver, Sender, channel};
use ringloop::task::{self, JoinHandle};
use ringloop::time;
use ringloop_core::{Postbox, Setter, postbox};

use super::hand_over::Channel;
use super::{LocalLoop, Sure};

#[derive(Debug)]
pub(in super::super) struct Facade;

impl LocalLoop for Facade {
    const NAME: &'static str = "facade";

    type Scheduler = Runtime;
    type Join<T: 'static> = Sure<JoinHandle<T>>;
    type Setter<T: 'static> = Setter<T>;
    type Postbox<T: 'static> = Sure<Postbox<T>>;
    type Channel = FacadeChannel;

    fn make() -> io::Result<Self::Scheduler> {
        Runtime::new().map_err(|error| io::Error::other(error.to_string()))
    }

    fn block_on<F: Future>(runtime: &mut Self::Scheduler, future: F) -> F::Output {
        runtime.block_on(future)
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
pub(in super::super) struct FacadeChannel;

impl Channel for FacadeChannel {
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

//! tokio's `LocalSet` on its current-thread runtime.

use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{self, JoinHandle, LocalSet};
use tokio::time;

use super::hand_over::Channel;
use super::{LocalLoop, Sure};

#[derive(Debug)]
pub(in super::super) struct Tokio;

impl LocalLoop for Tokio {
    const NAME: &'static str = "tokio-local";

    type Scheduler = (LocalSet, Runtime);
    type Join<T: 'static> = Sure<JoinHandle<T>>;
    type Setter<T: 'static> = oneshot::Sender<T>;
    type Postbox<T: 'static> = Sure<oneshot::Receiver<T>>;
    type Channel = Mpsc;

    fn make() -> io::Result<Self::Scheduler> {
        Ok((LocalSet::new(), Builder::new_current_thread().build()?))
    }

    fn make_whole() -> io::Result<Self::Scheduler> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok((LocalSet::new(), runtime))
    }

    fn block_on<F: Future>((set, runtime): &mut Self::Scheduler, future: F) -> F::Output {
        set.block_on(runtime, future)
    }

    fn spawn<F: Future<Output: 'static> + 'static>(future: F) -> Self::Join<F::Output> {
        Sure(task::spawn_local(future))
    }

    fn spawn_eager<F: Future<Output: 'static> + 'static>(_: F) -> Option<Self::Join<F::Output>> {
        None
    }

    fn yield_now() -> impl Future {
        task::yield_now()
    }

    fn sleep(duration: Duration) -> impl Future {
        time::sleep(duration)
    }

    fn one_shot<T: 'static>() -> (Self::Setter<T>, Self::Postbox<T>) {
        let (setter, postbox) = oneshot::channel();
        (setter, Sure(postbox))
    }

    fn set<T: 'static>(setter: Self::Setter<T>, value: T) {
        assert!(setter.send(value).is_ok(), "the other end is here");
    }

    fn unbudgeted<F: Future>(future: F) -> impl Future<Output = F::Output> {
        // Every 128th poll is answered "pending" otherwise, and files nothing.
        task::unconstrained(future)
    }
}

#[derive(Debug)]
pub(in super::super) struct Mpsc;

impl Channel for Mpsc {
    type Sender = mpsc::Sender<u32>;
    type Receiver = mpsc::Receiver<u32>;

    fn open(capacity: usize) -> Option<(Self::Sender, Self::Receiver)> {
        // It has no rendezvous.
        (capacity > 0).then(|| mpsc::channel(capacity))
    }

    async fn send(sender: &mut Self::Sender, value: u32) {
        sender.send(value).await.expect("the receiver is there");
    }

    async fn receive(receiver: &mut Self::Receiver) -> Option<u32> {
        receiver.recv().await
    }
}

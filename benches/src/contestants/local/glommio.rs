//! glommio's executor, bound to no processor but the one its thread is bound to already.

use std::fmt;
use std::io;
use std::time::Duration;

use futures_channel::oneshot;
use glommio::channels::local_channel::{self, LocalReceiver, LocalSender};
use glommio::timer::Timer;
use glommio::{LocalExecutor, LocalExecutorBuilder, Task};

use super::hand_over::Channel;
use super::{GiveWay, LocalLoop, Sure};

#[derive(Debug)]
pub(in super::super) struct Glommio;

impl LocalLoop for Glommio {
    const NAME: &'static str = "glommio";

    const SPAWNS_LATER: bool = false;

    type Scheduler = LocalExecutor;
    type Join<T: 'static> = Task<T>;
    type Setter<T: 'static> = oneshot::Sender<T>;
    type Postbox<T: 'static> = Sure<oneshot::Receiver<T>>;
    type Channel = Local;

    fn make() -> io::Result<Self::Scheduler> {
        let executor = LocalExecutorBuilder::default().make();
        executor.map_err(refused)
    }

    fn block_on<F: Future>(executor: &mut Self::Scheduler, future: F) -> F::Output {
        executor.run(future)
    }

    fn spawn<F: Future<Output: 'static> + 'static>(future: F) -> Self::Join<F::Output> {
        glommio::spawn_local(future)
    }

    fn spawn_eager<F: Future<Output: 'static> + 'static>(
        future: F,
    ) -> Option<Self::Join<F::Output>> {
        Some(glommio::spawn_local(future))
    }

    fn yield_now() -> impl Future {
        GiveWay::default()
    }

    fn sleep(duration: Duration) -> impl Future {
        Timer::new(duration)
    }

    fn one_shot<T: 'static>() -> (Self::Setter<T>, Self::Postbox<T>) {
        let (setter, postbox) = oneshot::channel();
        (setter, Sure(postbox))
    }

    fn set<T: 'static>(setter: Self::Setter<T>, value: T) {
        assert!(setter.send(value).is_ok(), "the other end is here");
    }
}

/// Makes a gap of it: it wants memory locked, and a kernel to its liking.
pub(in super::super) fn refused(error: impl fmt::Display) -> io::Error {
    let message = format!("cannot be made here: {error}");
    io::Error::new(io::ErrorKind::Unsupported, message)
}

#[derive(Debug)]
pub(in super::super) struct Local;

impl Channel for Local {
    type Sender = LocalSender<u32>;
    type Receiver = LocalReceiver<u32>;

    fn open(capacity: usize) -> Option<(Self::Sender, Self::Receiver)> {
        // It has no rendezvous.
        (capacity > 0).then(|| local_channel::new_bounded(capacity))
    }

    async fn send(sender: &mut Self::Sender, value: u32) {
        assert!(sender.send(value).await.is_ok(), "the receiver is there");
    }

    async fn receive(receiver: &mut Self::Receiver) -> Option<u32> {
        receiver.recv().await
    }
}

//! smol: `LocalExecutor` of async-executor, driven by async-io.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use async_executor::{LocalExecutor, Task};
use async_io::Timer;
use futures_channel::oneshot;

use super::hand_over::Channel;
use super::{GiveWay, LocalLoop, Sure};

#[derive(Debug)]
pub(in super::super) struct Smol;

type Executor = Rc<LocalExecutor<'static>>;

thread_local! {
    /// The executor that runs on this thread; one needs it to spawn.
    static CURRENT: RefCell<Option<Executor>> = const { RefCell::new(None) };
}

impl LocalLoop for Smol {
    const NAME: &'static str = "smol";

    type Scheduler = Executor;
    type Join<T: 'static> = Task<T>;
    type Setter<T: 'static> = oneshot::Sender<T>;
    type Postbox<T: 'static> = Sure<oneshot::Receiver<T>>;
    type Channel = AsyncChannel;

    fn make() -> io::Result<Self::Scheduler> {
        Ok(Rc::new(LocalExecutor::new()))
    }

    fn block_on<F: Future>(executor: &mut Self::Scheduler, future: F) -> F::Output {
        CURRENT.set(Some(Rc::clone(executor)));
        let output = async_io::block_on(executor.run(future));
        CURRENT.set(None);
        output
    }

    fn spawn<F: Future<Output: 'static> + 'static>(future: F) -> Self::Join<F::Output> {
        CURRENT.with_borrow(|executor| {
            let executor = executor.as_ref().expect("an executor runs");
            executor.spawn(future)
        })
    }

    fn spawn_eager<F: Future<Output: 'static> + 'static>(_: F) -> Option<Self::Join<F::Output>> {
        None
    }

    fn yield_now() -> impl Future {
        GiveWay::default()
    }

    fn sleep(duration: Duration) -> impl Future {
        Timer::after(duration)
    }

    fn one_shot<T: 'static>() -> (Self::Setter<T>, Self::Postbox<T>) {
        let (setter, postbox) = oneshot::channel();
        (setter, Sure(postbox))
    }

    fn set<T: 'static>(setter: Self::Setter<T>, value: T) {
        assert!(setter.send(value).is_ok(), "the other end is here");
    }
}

#[derive(Debug)]
pub(in super::super) struct AsyncChannel;

impl Channel for AsyncChannel {
    type Sender = Sender<u32>;
    type Receiver = Receiver<u32>;

    fn open(capacity: usize) -> Option<(Self::Sender, Self::Receiver)> {
        // It has no rendezvous.
        (capacity > 0).then(|| async_channel::bounded(capacity))
    }

    async fn send(sender: &mut Self::Sender, value: u32) {
        sender.send(value).await.expect("the receiver is there");
    }

    async fn receive(receiver: &mut Self::Receiver) -> Option<u32> {
        receiver.recv().await.ok()
    }
}

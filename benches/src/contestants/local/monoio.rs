//! monoio on its ring, with timers, and with wakes from other threads (its feature `sync`).

use std::io;
use std::time::Duration;

use local_sync::oneshot;
use monoio::task::JoinHandle;
use monoio::time::{self, TimeDriver};
use monoio::{IoUringDriver, Runtime, RuntimeBuilder};

use super::hand_over::LocalSync;
use super::{GiveWay, LocalLoop, Sure};

#[derive(Debug)]
pub(in super::super) struct Monoio;

impl LocalLoop for Monoio {
    const NAME: &'static str = "monoio";

    const GIVES_WAY: bool = false;

    type Scheduler = Runtime<TimeDriver<IoUringDriver>>;
    type Join<T: 'static> = JoinHandle<T>;
    type Setter<T: 'static> = oneshot::Sender<T>;
    type Postbox<T: 'static> = Sure<oneshot::Receiver<T>>;
    type Channel = LocalSync;

    fn make() -> io::Result<Self::Scheduler> {
        RuntimeBuilder::<IoUringDriver>::new()
            .enable_timer()
            .build()
    }

    fn block_on<F: Future>(runtime: &mut Self::Scheduler, future: F) -> F::Output {
        runtime.block_on(future)
    }

    fn spawn<F: Future<Output: 'static> + 'static>(future: F) -> Self::Join<F::Output> {
        monoio::spawn(future)
    }

    fn spawn_eager<F: Future<Output: 'static> + 'static>(_: F) -> Option<Self::Join<F::Output>> {
        None
    }

    fn yield_now() -> impl Future {
        GiveWay::default()
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
}

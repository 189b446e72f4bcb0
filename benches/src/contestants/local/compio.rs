//! compio's runtime on its ring. It has no hand-over of its own; it uses monoio's.

use std::io;
use std::time::Duration;

use compio_runtime::{JoinHandle, Runtime, time};
use local_sync::oneshot;

use super::hand_over::LocalSync;
use super::{GiveWay, LocalLoop, Sure};

#[derive(Debug)]
pub(in super::super) struct Compio;

impl LocalLoop for Compio {
    const NAME: &'static str = "compio-rt";

    type Scheduler = Runtime;
    type Join<T: 'static> = Sure<JoinHandle<T>>;
    type Setter<T: 'static> = oneshot::Sender<T>;
    type Postbox<T: 'static> = Sure<oneshot::Receiver<T>>;
    type Channel = LocalSync;

    fn make() -> io::Result<Self::Scheduler> {
        Runtime::new()
    }

    fn block_on<F: Future>(runtime: &mut Self::Scheduler, future: F) -> F::Output {
        runtime.block_on(future)
    }

    fn spawn<F: Future<Output: 'static> + 'static>(future: F) -> Self::Join<F::Output> {
        Sure(compio_runtime::spawn(future))
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

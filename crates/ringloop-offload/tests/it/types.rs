//! What may cross threads, and how large it is.

use std::cell::Cell;
use std::error::Error;
use std::iter::Once;
use std::marker::PhantomData;
use std::rc::Rc;
use std::vec;

use ringloop_offload::{
    Builder, CpuPool, CpuPoolBuilder, Executor, FromFn, Histogram, Interrupt, Interrupted, Job,
    Limited, Limiter, LimiterStats, Map, MapMeter, MapProgress, Offload, OffloadError, PoolBuilder,
    PoolError, PoolHandle, PoolStats, QueuedJob, Requested, RunningJob, Scope, ScopedJob,
    ShutdownReport, Stall, ThreadPool,
};

fn shared<T: Send + Sync>() {}

struct Ask<T>(PhantomData<T>);

/// An inherent constant, which is there only if its bound holds, is preferred to the trait's.
trait Otherwise {
    const SEND: bool = false;
    const SYNC: bool = false;
}

impl<T> Otherwise for Ask<T> {}

impl<T: Send> Ask<T> {
    const SEND: bool = true;
}

impl<T: Sync> Ask<T> {
    const SYNC: bool = true;
}

#[test]
fn types_cross_threads() {
    shared::<CpuPool>();
    shared::<CpuPoolBuilder>();
    shared::<Builder>();
    shared::<FromFn<fn(Job) -> Result<(), Job>>>();
    shared::<Histogram>();
    shared::<Limited<ThreadPool>>();
    shared::<Limiter>();
    shared::<LimiterStats>();
    shared::<MapMeter>();
    shared::<MapProgress>();
    shared::<QueuedJob>();
    shared::<RunningJob>();
    shared::<Scope<'_, '_>>();
    // As with futures: the result stays where it is until it is taken.
    shared::<ScopedJob<'_, Cell<u8>>>();
    shared::<Stall>();
    // A map has results in its hands, and the iterator.
    shared::<Map<PoolHandle, vec::IntoIter<u8>, u8>>();
    shared::<Interrupt>();
    shared::<Interrupted>();
    shared::<Requested>();
    shared::<Job>();
    // What a job returns need not be shareable for its future to be.
    shared::<Offload<Cell<u8>>>();
    shared::<OffloadError>();
    shared::<PoolBuilder>();
    shared::<PoolError>();
    shared::<PoolHandle>();
    shared::<PoolStats>();
    shared::<ShutdownReport>();
    shared::<ThreadPool>();
    shared::<Box<dyn Executor>>();
}

#[test]
fn what_holds_what_is_not_shared_is_not_shared_either() {
    type Items<T> = Once<T>;
    type Local = Rc<u8>;

    const {
        assert!(<Ask<Map<PoolHandle, Items<u8>, u8>>>::SYNC);
        assert!(<Ask<Map<PoolHandle, Items<Cell<u8>>, Cell<u8>>>>::SEND);
        assert!(!<Ask<Map<PoolHandle, Items<u8>, Cell<u8>>>>::SYNC);
        assert!(!<Ask<Map<PoolHandle, Items<Cell<u8>>, u8>>>::SYNC);
        assert!(!<Ask<Map<PoolHandle, Items<Local>, u8>>>::SEND);
        assert!(!<Ask<Map<FromFn<Local>, Items<u8>, u8>>>::SEND);
        assert!(!<Ask<Limited<Local>>>::SEND && !<Ask<Limited<Local>>>::SYNC);
        // Clones share the executor.
        assert!(!<Ask<Limited<Cell<u8>>>>::SEND);
    }
}

#[test]
fn futures_are_small_and_movable() {
    fn movable<T: Unpin>() {}

    movable::<Offload<std::marker::PhantomPinned>>();
    assert_eq!(size_of::<Offload<[u8; 4096]>>(), 2 * size_of::<usize>());
    assert!(size_of::<OffloadError>() <= 3 * size_of::<usize>());
    assert!(size_of::<Job>() <= 3 * size_of::<usize>());
}

#[test]
fn errors_pass_through_the_question_mark() {
    fn convert(error: OffloadError) -> Box<dyn Error + Send + Sync> {
        error.into()
    }
    let _is_used: fn(OffloadError) -> Box<dyn Error + Send + Sync> = convert;
}

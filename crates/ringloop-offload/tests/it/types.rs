//! What may cross threads, and how large it is.

use std::cell::Cell;
use std::error::Error;

use ringloop_offload::{
    Builder, CpuPool, CpuPoolBuilder, Executor, Interrupt, Interrupted, Job, Offload, OffloadError,
    PoolBuilder, PoolError, PoolHandle, PoolStats, Requested, ShutdownReport, ThreadPool,
};

fn shared<T: Send + Sync>() {}

#[test]
fn types_cross_threads() {
    shared::<CpuPool>();
    shared::<CpuPoolBuilder>();
    shared::<Builder>();
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

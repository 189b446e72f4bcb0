//! What one value costs on its way through a postbox, beside a shared cell and tokio's channel.

use std::cell::Cell;
use std::hint::black_box;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use criterion::{Criterion, criterion_group, criterion_main};

use ringloop_benches::process::{self, Cores};
use ringloop_core::{postbox, remote_postbox};
use tokio::sync::oneshot;

/// Makes a pair, waits, sends, receives: what an awaited answer goes through.
fn postboxes(criterion: &mut Criterion) {
    process::pin_once(Cores::pick().expect("some processor is allowed").server);
    let mut group = criterion.benchmark_group("postbox");
    group.bench_function("floor", |bencher| {
        bencher.iter(|| {
            let cell = Rc::new(Cell::new(None));
            let setter = Rc::clone(&cell);
            assert!(black_box(&cell).take().is_none());
            setter.set(Some(black_box(7)));
            black_box(cell.take())
        });
    });
    group.bench_function("ringloop", |bencher| {
        bencher.iter(|| {
            let (setter, mut answer) = postbox();
            assert!(poll(&mut answer).is_pending());
            setter.set(black_box(7)).expect("the other end is here");
            black_box(poll(&mut answer))
        });
    });
    group.bench_function("ringloop, remote", |bencher| {
        bencher.iter(|| {
            let (setter, mut answer) = remote_postbox();
            assert!(poll(&mut answer).is_pending());
            setter.set(black_box(7)).expect("the other end is here");
            black_box(poll(&mut answer))
        });
    });
    group.bench_function("tokio", |bencher| {
        bencher.iter(|| {
            let (setter, mut answer) = oneshot::channel();
            assert!(poll(&mut answer).is_pending());
            setter.send(black_box(7)).expect("the other end is here");
            black_box(poll(&mut answer))
        });
    });
    group.finish();
}

fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

criterion_group!(benches, postboxes);
criterion_main!(benches);

//! What one operation costs through the whole ring: the cheapest there is, one at a time.

use criterion::{Criterion, criterion_group, criterion_main};

use ringloop_benches::clock;
use ringloop_benches::process::{self, Cores};
use ringloop_benches::ring::Ring;
use ringloop_proactor::{Config, Proactor};

fn op_nop(criterion: &mut Criterion) {
    process::pin_once(Cores::pick().expect("some processor is allowed").server);
    let mut group = criterion.benchmark_group("op_nop");
    group.bench_function("floor", |bencher| {
        let mut ring = Ring::new(8, 16).expect("this kernel has io_uring");
        let (mut submissions, mut completions) = ring.split();
        bencher.iter(|| {
            submissions.nop(7).expect("the queue is empty");
            submissions.enter(1, None).expect("the ring is sound");
            completions.sync();
            completions.next().map(|cqe| cqe.result())
        });
    });
    group.bench_function("ringloop-proactor", |bencher| {
        let mut proactor = Proactor::new(&Config::default()).expect("this kernel has io_uring");
        let handle = proactor.handle();
        bencher.iter_custom(|count| {
            let work = async {
                let start = clock::now();
                for _ in 0..count {
                    handle
                        .nop()
                        .await
                        .expect("it does nothing, and cannot fail");
                }
                clock::now() - start
            };
            proactor.block_on(work).expect("the ring is sound")
        });
    });
    group.finish();
}

criterion_group!(benches, op_nop);
criterion_main!(benches);

//! What a task costs from spawn to join: one at a time, and a thousand at once.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use ringloop_benches::contestants::Level;
use ringloop_benches::criterion_time::time_of;
use ringloop_benches::process::{self, Cores};

fn spawn_join(criterion: &mut Criterion) {
    process::pin_once(Cores::pick().expect("some processor is allowed").server);
    let mut group = criterion.benchmark_group("spawn_join");
    for contestant in Level::Runtime.contestants() {
        group.bench_function(contestant.name(), |bencher| {
            bencher.iter_custom(|count| time_of(count, |count| contestant.spawn_join(count)));
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("spawn_1000");
    group.throughput(Throughput::Elements(1000));
    for contestant in Level::Runtime.contestants() {
        group.bench_function(contestant.name(), |bencher| {
            bencher
                .iter_custom(|count| time_of(count, |count| contestant.spawn_batch(count, 1000)));
        });
    }
    group.finish();
}

criterion_group!(benches, spawn_join);
criterion_main!(benches);

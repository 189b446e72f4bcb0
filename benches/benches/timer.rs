//! What it costs to file a timer and to drop it, beside few and beside many others.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

use ringloop_benches::contestants::Level;
use ringloop_benches::criterion_time::time_of;
use ringloop_benches::process::{self, Cores};

fn timer(criterion: &mut Criterion) {
    process::pin_once(Cores::pick().expect("some processor is allowed").server);
    let mut group = criterion.benchmark_group("timer");
    for outstanding in [0, 1_000, 10_000] {
        for contestant in Level::Runtime.contestants() {
            let id = BenchmarkId::new(contestant.name(), outstanding);
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|count| {
                    time_of(count, |count| contestant.timers(count, outstanding))
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, timer);
criterion_main!(benches);

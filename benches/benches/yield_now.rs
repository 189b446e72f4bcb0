//! What it costs to give way: alone, and from task to task among 64.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use ringloop_benches::contestants::Level;
use ringloop_benches::criterion_time::time_of;
use ringloop_benches::process::{self, Cores};

fn yield_now(criterion: &mut Criterion) {
    process::pin_once(Cores::pick().expect("some processor is allowed").server);
    for tasks in [1, 64] {
        let mut group = criterion.benchmark_group(format!("yield_{tasks}"));
        group.throughput(Throughput::Elements(u64::from(tasks)));
        for contestant in Level::Runtime.contestants() {
            group.bench_function(contestant.name(), |bencher| {
                bencher
                    .iter_custom(|count| time_of(count, |count| contestant.yields(tasks, count)));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, yield_now);
criterion_main!(benches);

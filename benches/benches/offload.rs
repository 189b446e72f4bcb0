//! What an empty job costs on its way to another thread and back.

use criterion::{Criterion, criterion_group, criterion_main};

use ringloop_benches::contestants::Level;
use ringloop_benches::criterion_time::time_of;
use ringloop_benches::process::{self, Cores};

fn offload(criterion: &mut Criterion) {
    let cores = Cores::pick().expect("some processor is allowed");
    process::pin_once(cores.server);
    let mut group = criterion.benchmark_group("offload");
    for contestant in Level::Runtime.contestants() {
        group.bench_function(contestant.name(), |bencher| {
            bencher.iter_custom(|count| {
                time_of(count, |count| {
                    Ok(contestant.offloads(cores.client, count)?.total())
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, offload);
criterion_main!(benches);

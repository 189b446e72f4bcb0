//! What a 64-byte message costs over loopback TCP and back, on one and on 64 connections.

use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

use ringloop_benches::benchmarks::ECHO_BUFFER;
use ringloop_benches::client::{Client, Until};
use ringloop_benches::contestants::{Level, Service};
use ringloop_benches::process::{self, Cores};
use ringloop_benches::samples::Samples;
use ringloop_benches::server::Server;

fn echo(criterion: &mut Criterion) {
    let program = Path::new(env!("CARGO_BIN_EXE_ringloop-bench"));
    let cores = Cores::pick().expect("some processor is allowed");
    process::pin_once(cores.client);
    let mut group = criterion.benchmark_group("echo");
    group.throughput(Throughput::Elements(1));
    for connections in [1, 64] {
        for contestant in Level::Net.contestants() {
            let name = contestant.name();
            let work = (Service::Echo(ECHO_BUFFER), connections);
            if !contestant.can_serve(work.0, work.1) {
                continue;
            }
            let server = Server::start(
                program,
                &[],
                &*contestant,
                cores.server,
                (Service::Echo(4096), connections),
            )
            .expect("the server starts");
            let mut client =
                Client::connect(server.address(), connections).expect("the server listens");
            let mut samples = Samples::default();
            group.bench_function(BenchmarkId::new(name, connections), |bencher| {
                bencher.iter_custom(|count| {
                    samples.clear();
                    let run = client.run(Until::Messages(count), &mut samples);
                    run.expect("the server echoes").elapsed
                });
            });
            drop(client);
            server.wait().expect("the server ends with its connections");
        }
    }
    group.finish();
}

criterion_group!(benches, echo);
criterion_main!(benches);

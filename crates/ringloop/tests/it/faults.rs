//! Faults of offloading that take a whole runtime to show; `docs/faults-offload.md` has the others.

use std::sync::mpsc;

use ringloop::net::{TcpListener, TcpStream};
use ringloop::offload::ThreadPool;
use ringloop::task::yield_now;
use ringloop::{Runtime, offload};

use crate::examples::example;
use crate::injection::{injected, strace, text};
use crate::rig::run;

/// A pool whose threads are all busy takes jobs as fast as ever, and the loop goes on.
#[test]
fn f80_a_full_pool_holds_up_nobody() {
    const JOBS: usize = 10_000;
    run(async {
        let pool = ThreadPool::fixed(1);
        let (release, released) = mpsc::channel::<()>();
        let busy = offload::offload_on(&pool, move || released.recv().unwrap_err());
        let queued: Vec<_> = (0..JOBS)
            .map(|number| offload::offload_on(&pool, move || number))
            .collect();
        for _ in 0..100 {
            yield_now().await.unwrap();
        }
        assert_eq!(pool.stats().completed, 0, "none of it had to be done first");
        drop(release);
        busy.await.unwrap();
        for (number, job) in queued.into_iter().enumerate() {
            assert_eq!(job.await.unwrap(), number);
        }
    });
}

/// Two attempts to start a thread fail: two jobs are refused at once, with the remedy, and those
/// that come after them are done.
#[test]
fn f82_without_a_thread_a_job_is_refused_and_the_next_one_tries_again() {
    let name = "f82_without_a_thread_a_job_is_refused_and_the_next_one_tries_again";
    let Some(mut strace) = strace(name, "clone3", "EAGAIN", "1..2") else {
        return;
    };
    let output = strace
        .arg(example("offload").get_program())
        .args(["/proc/self/comm"; 4])
        .output()
        .unwrap();
    let (printed, errors) = (text(&output.stdout), text(&output.stderr));
    // strace counts for each thread: workers fail to start others, too, and nobody notices.
    assert!(injected(name) >= 2, "{errors}");
    let refused: Vec<_> = errors.lines().collect();
    assert_eq!(refused.len(), 2, "{errors}");
    for line in refused {
        assert!(line.contains("RLIMIT_NPROC"), "{line}");
    }
    let hashes = printed
        .lines()
        .filter(|line| line.contains("/proc/self/comm"));
    assert_eq!(hashes.count(), 2, "{printed}");
}

/// `getaddrinfo(3)` blocks: it is a job of the pool, which has a bound on its threads.
#[test]
fn f87_names_are_looked_up_by_the_pool() {
    let builder = Runtime::builder().offload(|pool| pool.max_threads(1));
    let mut runtime = builder.build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    });
    assert_eq!(runtime.stats().blocking.accepted, 0, "nothing to look up");
    runtime.block_on(async {
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("localhost", port)).await.unwrap();
    });
    let stats = runtime.stats().blocking;
    assert_eq!((stats.accepted, stats.threads_max), (2, 1));
}

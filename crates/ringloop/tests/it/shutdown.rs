//! The end of a runtime: what is left is cancelled, awaited, sent and closed.

use std::cell::RefCell;
use std::future::pending;
use std::io::Read;
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use ringloop::cancel::{ReasonKind, shield};
use ringloop::net::TcpStream;
use ringloop::offload::Interrupt;
use ringloop::task::yield_now;
use ringloop::{Runtime, offload, sleep, spawn, timeout};

use crate::rig::{
    alone, assert_cancelled, listener, numbered, open_fds, pair, polled_once, run, runtime,
};

#[test]
fn tasks_that_are_left_are_cancelled_and_may_clean_up() {
    let mut far = run(async {
        let (mut stream, far) = pair();
        spawn(async move {
            let cancelled = sleep(Duration::MAX).await.unwrap_err();
            assert_eq!(cancelled.reason().kind(), ReasonKind::Shutdown);
            assert_cancelled(&stream.write_all(b"outside").await);
            shield(async {
                sleep(Duration::from_millis(1)).await?;
                stream.write_all(b"goodbye").await?;
                stream.close().await
            })
            .await
            .unwrap();
        });
        yield_now().await.unwrap();
        far
    });
    let mut received = String::new();
    far.read_to_string(&mut received).unwrap();
    assert_eq!(received, "goodbye");
}

#[test]
fn shutdown_says_what_had_to_be_ended() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let lines = Rc::clone(&log);
    let builder = Runtime::builder()
        .grace(Duration::from_millis(5))
        .on_unhandled(move |unhandled| lines.borrow_mut().push(unhandled.kind()));
    let mut runtime = builder.build().unwrap();
    runtime.block_on(async {
        spawn(sleep(Duration::MAX));
        spawn(shield(pending::<()>()));
        yield_now().await.unwrap();
    });
    let report = runtime.shutdown();
    assert_eq!(
        (report.cancelled, report.aborted, report.panicked),
        (1, 1, 0)
    );
    assert_eq!(log.take(), [ringloop::runtime::UnhandledKind::Aborted]);
}

#[test]
fn a_dropped_stream_sends_what_it_holds() {
    const LEN: usize = 100_000;
    let mut far = run(async {
        let (mut stream, far) = pair();
        stream.write_all(&numbered(0, LEN)).await.unwrap();
        far
    });
    let mut received = Vec::new();
    far.read_to_end(&mut received).unwrap();
    assert!(
        received == numbered(0, LEN),
        "{} bytes of {LEN}",
        received.len()
    );
}

#[test]
fn a_peer_that_reads_nothing_holds_up_the_end_only_for_a_while() {
    let far = run(async {
        let (mut stream, far) = pair();
        // More than the kernel takes, and as much as the stream does.
        let bytes = numbered(0, 100_000);
        while timeout(Duration::from_millis(5), stream.write_all(&bytes))
            .await
            .is_ok()
        {}
        far
    });
    drop(far);
}

#[test]
fn a_stream_of_a_task_that_is_cancelled_sends_what_it_holds() {
    let mut far = run(async {
        let (mut stream, far) = pair();
        spawn(async move {
            stream.write_all(b"written before the end").await?;
            stream.read(&mut [0; 1]).await
        });
        yield_now().await.unwrap();
        far
    });
    let mut received = String::new();
    far.read_to_string(&mut received).unwrap();
    assert_eq!(received, "written before the end");
}

#[test]
fn resources_that_outlive_the_runtime_say_so() {
    let ((mut stream, _far), listener) = run(async { (pair(), listener().await.0) });
    run(async {
        assert!(stream.read(&mut [0; 1]).await.is_err());
        assert!(stream.write_all(b"x").await.is_err());
        assert!(listener.accept().await.is_err());
        assert!(
            stream.local_addr().is_ok(),
            "the descriptor is open as long as its owner"
        );
    });
}

#[test]
fn a_join_handle_that_outlives_the_runtime_says_so() {
    let mut runtime = runtime();
    let (finished, left, unread) = runtime.block_on(async {
        let finished = spawn(async { 7 });
        let left = spawn(pending::<()>());
        yield_now().await.unwrap();
        left.abort();
        (finished, left, spawn(sleep(Duration::MAX)))
    });
    drop(runtime);
    run(async {
        assert_eq!(finished.await.unwrap(), 7);
        assert!(left.await.unwrap_err().is_aborted());
        assert!(
            unread.await.unwrap().is_err(),
            "it was cancelled, and said so"
        );
    });
}

#[test]
fn offloaded_work_that_runs_is_awaited() {
    let (running, runs) = mpsc::channel();
    let (done, is_done) = mpsc::channel();
    run(async {
        let job = offload(move || {
            running.send(()).unwrap();
            while !Interrupt::current().is_requested() {
                std::thread::yield_now();
            }
            done.send("told to end").unwrap();
        });
        spawn(async move { job.await.unwrap() });
        yield_now().await.unwrap();
        runs.recv().unwrap();
    });
    assert_eq!(is_done.try_recv(), Ok("told to end"));
}

#[test]
fn offloaded_work_that_was_left_behind_is_awaited_too() {
    for on_pool in [offload, offload::cpu] {
        let (running, runs) = mpsc::channel();
        let (done, is_done) = mpsc::channel();
        let work: Box<dyn FnOnce() + Send> = Box::new(move || {
            running.send(()).unwrap();
            // Long enough to be late if nobody waits.
            let (_silent, never) = mpsc::channel::<()>();
            assert!(never.recv_timeout(Duration::from_millis(50)).is_err());
            done.send(()).unwrap();
        });
        run(async {
            let job = on_pool(work);
            runs.recv().unwrap();
            drop(job);
        });
        is_done.try_recv().unwrap();
    }
}

#[test]
fn connections_that_nobody_took_are_closed() {
    let mut client = run(async {
        let (listener, address) = listener().await;
        assert!(polled_once(listener.accept()).await.is_none());
        let client = std::net::TcpStream::connect(address).unwrap();
        sleep(Duration::ZERO).await.unwrap();
        client
    });
    // An end or a reset: nobody is there.
    assert!(matches!(client.read(&mut [0; 1]), Ok(0) | Err(_)));
}

#[test]
fn runtimes_leave_no_descriptor_behind() {
    if !alone("shutdown::runtimes_leave_no_descriptor_behind") {
        return;
    }
    let fds = open_fds();
    for _ in 0..20 {
        run(async {
            let (listener, address) = listener().await;
            let mut client = TcpStream::connect(address).await.unwrap();
            let (mut stream, _) = listener.accept().await.unwrap();
            client.write_all(&numbered(0, 300_000)).await.ok();
            spawn(async move { stream.read(&mut [0; 1]).await.map(|_| stream) });
            spawn(async move { listener.accept().await.map(drop) });
            spawn(async move { client.read(&mut [0; 1]).await.map(drop) });
            yield_now().await.unwrap();
        });
        assert_eq!(open_fds(), fds);
    }
}

#[test]
fn nothing_runs_on_a_runtime_that_is_being_dropped() {
    let mut runtime = runtime();
    let remote = runtime.remote();
    runtime.block_on(async {
        spawn(async {
            sleep(Duration::MAX).await.ok();
            let child = spawn(async { sleep(Duration::MAX).await.unwrap_err() });
            let cancelled = child.await.unwrap();
            assert_eq!(cancelled.reason().kind(), ReasonKind::Shutdown);
        });
        yield_now().await.unwrap();
    });
    let report = runtime.shutdown();
    assert_eq!((report.aborted, report.panicked), (0, 0));
    assert!(remote.is_closed());
    assert!(remote.call_soon(|| ()).is_err());
}

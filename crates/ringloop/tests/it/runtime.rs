//! Runtimes: one after another, side by side, inside each other.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;

use ringloop::net::TcpStream;
use ringloop::runtime::UnhandledKind;
use ringloop::task::{Builder, JoinHandle, yield_now};
use ringloop::{Runtime, spawn};

use crate::rig::{again, is_child, listener, run, runtime};

/// What a panic said.
#[track_caller]
fn panic_of<R>(body: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(body)).map(drop).unwrap_err();
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().unwrap()).to_owned(),
    }
}

#[test]
fn run_returns_the_value_and_may_borrow() {
    let word = String::from("borrowed");
    assert_eq!(run(async { &word[..6] }), "borrow");
}

#[test]
fn a_runtime_inside_a_runtime_is_refused_and_the_outer_goes_on() {
    // In a process of its own: a panic on top of another one would end it.
    if !is_child() {
        let output = again("runtime::a_runtime_inside_a_runtime_is_refused_and_the_outer_goes_on");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        return;
    }
    run(async {
        let (listener, address) = listener().await;
        let task = spawn(async move { listener.accept().await.map(|(_, peer)| peer) });
        let said = panic_of(|| ringloop::run(async {}));
        assert!(said.contains("a loop inside a loop"), "{said}");
        let mut inner = runtime();
        let said = panic_of(|| inner.block_on(async {}));
        assert!(said.contains("a loop inside a loop"), "{said}");
        drop(inner);
        let stream = TcpStream::connect(address).await.unwrap();
        assert_eq!(task.await.unwrap().unwrap(), stream.local_addr().unwrap());
    });
    run(async { yield_now().await.unwrap() });
}

#[test]
fn outside_of_a_runtime_it_says_what_is_missing() {
    let said = panic_of(|| ringloop::offload(|| ()));
    assert!(said.contains("ringloop::run"), "{said}");
    let (listener, _) = (std::net::TcpListener::bind("127.0.0.1:0").unwrap(), ());
    let said = panic_of(|| ringloop::net::TcpListener::from_std(listener));
    assert!(said.contains("ringloop::run"), "{said}");
    let said = panic_of(|| spawn(async {}));
    assert!(said.contains("loop"), "{said}");
}

#[test]
fn a_panic_in_main_is_that_of_run() {
    let said = panic_of(|| run(async { panic!("main gives up") }));
    assert_eq!(said, "main gives up");
    assert_eq!(run(async { 1 }), 1, "the thread is unharmed");
}

#[test]
fn a_panic_in_a_task_is_its_handle_s() {
    let said = panic_of(|| {
        run(async {
            let bystander = spawn(async { "unharmed" });
            let error = spawn(async { panic!("the task gives up") })
                .await
                .unwrap_err();
            assert!(error.is_panic());
            assert_eq!(bystander.await.unwrap(), "unharmed");
            error.resume()
        })
    });
    assert_eq!(said, "the task gives up");
}

#[test]
fn a_panic_that_nobody_can_read_goes_to_the_hook() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let lines = Rc::clone(&log);
    let builder = Runtime::builder().on_unhandled(move |unhandled| {
        assert_eq!(unhandled.kind(), UnhandledKind::Panic);
        lines.borrow_mut().push(unhandled.to_string());
    });
    let mut runtime = builder.build().unwrap();
    runtime.block_on(async {
        let task = Builder::new().name("careless");
        drop::<JoinHandle<()>>(task.spawn(async { panic!("oops") }));
        yield_now().await.unwrap();
    });
    assert_eq!(runtime.stats().tasks.unhandled, 1);
    let log = log.take();
    assert!(
        log.len() == 1 && log[0].contains("careless") && log[0].contains("oops"),
        "{log:?}"
    );
}

#[test]
fn block_on_may_be_called_again_and_tasks_go_on_meanwhile() {
    let mut runtime = runtime();
    let (address, server) = runtime.block_on(async {
        let (listener, address) = listener().await;
        let server = spawn(async move {
            let (mut stream, _) = listener.accept().await?;
            let mut byte = [0];
            stream.read_exact(&mut byte).await?;
            stream.write_all(&byte).await?;
            stream.close().await
        });
        (address, server)
    });
    let mut client = runtime.block_on(TcpStream::connect(address)).unwrap();
    runtime.block_on(client.write_all(b"x")).unwrap();
    let mut reply = Vec::new();
    runtime.block_on(client.read_to_end(&mut reply)).unwrap();
    assert_eq!(reply, b"x");
    runtime.block_on(server).unwrap().unwrap();
    assert_eq!(runtime.stats().tasks.tasks_live, 0);
}

#[test]
fn two_runtimes_on_two_threads_do_not_know_each_other() {
    let (tell, told) = mpsc::channel();
    let server = thread::spawn(move || {
        run(async {
            let (listener, address) = listener().await;
            tell.send(address).unwrap();
            let (mut stream, _) = listener.accept().await?;
            let mut text = Vec::new();
            stream.read_to_end(&mut text).await?;
            stream.write_all(&text).await?;
            stream.close().await
        })
    });
    let address = told.recv().unwrap();
    let reply = run(async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"across").await?;
        stream.shutdown().await?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply).await?;
        std::io::Result::Ok(reply)
    });
    assert_eq!(reply.unwrap(), b"across");
    server.join().unwrap().unwrap();
}

#[test]
fn two_runtimes_on_one_thread_take_turns() {
    let (mut one, mut two) = (runtime(), runtime());
    let (listener, address) = one.block_on(listener());
    let mut client = two.block_on(TcpStream::connect(address)).unwrap();
    let (mut stream, _) = one.block_on(listener.accept()).unwrap();
    two.block_on(async {
        client.write_all(b"ping").await.unwrap();
        client.flush().await.unwrap();
    });
    let mut received = [0; 4];
    one.block_on(stream.read_exact(&mut received)).unwrap();
    assert_eq!(&received, b"ping");
    drop(client);
    drop(two);
    assert_eq!(one.block_on(stream.read(&mut received)).unwrap(), 0);
}

#[test]
fn stats_count_what_happens() {
    let mut runtime = runtime();
    let before = runtime.stats();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..10).map(|n| spawn(async move { n })).collect();
        for (n, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), n);
        }
    });
    let after = runtime.stats();
    assert_eq!(after.tasks.tasks_spawned - before.tasks.tasks_spawned, 11);
    assert_eq!(after.tasks.tasks_live, 0);
}

//! Servers whose accept fails: what passes, what is waited for, what is the end.
//!
//! A listener that follows a script shows the times, which are virtual; a process without
//! descriptors shows that it is so with the kernel's.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use ringloop::cancel::shield;
use ringloop::net::{Listener, ServeReport, Server, TcpStream, serve};
use ringloop::sync::Event;
use ringloop::time::now;
use ringloop::{Runtime, sleep, spawn};

use crate::kernel;
use crate::rig::{alone, listener, open_fds, run_virtual, settle, until};

/// Accepts what the script says, and waits when it is at its end.
#[derive(Clone, Default)]
struct Scripted(Rc<Script>);

#[derive(Default)]
struct Script {
    /// Errors, and connections: zero.
    steps: RefCell<VecDeque<i32>>,
    /// When each was asked for.
    times: RefCell<Vec<Instant>>,
}

impl Scripted {
    fn new(steps: impl IntoIterator<Item = i32>) -> Self {
        let script = Self::default();
        script.0.steps.borrow_mut().extend(steps);
        script
    }

    /// How many milliseconds there were between the steps.
    fn pauses(&self) -> Vec<u128> {
        let times = self.0.times.borrow();
        let pauses = times.windows(2).map(|pair| (pair[1] - pair[0]).as_millis());
        pauses.collect()
    }
}

impl Listener for Scripted {
    type Stream = ();
    type Addr = &'static str;

    async fn accept(&self) -> io::Result<((), &'static str)> {
        let step = self.0.steps.borrow_mut().pop_front();
        let Some(step) = step else {
            sleep(Duration::MAX).await?;
            unreachable!("nobody lives so long");
        };
        self.0.times.borrow_mut().push(now());
        match step {
            0 => Ok(((), "nobody")),
            errno => Err(io::Error::from_raw_os_error(errno)),
        }
    }

    fn local_addr(&self) -> io::Result<&'static str> {
        Ok("nowhere")
    }
}

/// Serves what the script says, until it is at its end and nobody is left. Returns what was reported.
fn play(
    script: &Scripted,
    handler: impl AsyncFn() + 'static,
) -> (io::Result<()>, Vec<String>, Server<&'static str>) {
    let log = Rc::new(RefCell::new(Vec::new()));
    let lines = Rc::clone(&log);
    let serving = serve(script.clone(), async move |(), _peer| handler().await)
        .on_error(move |report| lines.borrow_mut().push(report.to_string()));
    let server = serving.server();
    let handle = server.clone();
    let result = run_virtual(async move {
        let serving = spawn(serving.into_future());
        // Longer than the whole script takes.
        sleep(Duration::from_secs(1000)).await.unwrap();
        handle.stop_accepting();
        serving.await.unwrap()
    });
    (result, log.take(), server)
}

const BUSY: &str = "the server cannot accept for now: Too many open files (os error 24)";

#[test]
fn errors_of_single_connections_pass() {
    let passing = [
        libc::ECONNABORTED,
        libc::ECONNRESET,
        libc::EPROTO,
        libc::EPERM,
        libc::EINTR,
        libc::ENETDOWN,
        libc::ENETUNREACH,
        libc::EHOSTDOWN,
        libc::EHOSTUNREACH,
        libc::ENONET,
        libc::ENOPROTOOPT,
    ];
    let script = Scripted::new(passing.into_iter().chain([0]));
    let (result, log, server) = play(&script, async || {});
    result.unwrap();
    assert_eq!(script.pauses(), [0; 11]);
    assert_eq!(log, Vec::<String>::new());
    let stats = server.stats();
    assert_eq!((stats.accept_errors, stats.completed), (11, 1));
}

#[test]
fn want_of_descriptors_or_memory_is_waited_for_and_told_twice() {
    let wants = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    let script = Scripted::new(
        wants
            .into_iter()
            .cycle()
            .take(11)
            .chain([0, libc::EMFILE, 0]),
    );
    // Nobody ends meanwhile.
    let (result, log, server) = play(&script, async || {
        sleep(Duration::from_secs(60)).await.unwrap();
    });
    result.unwrap();
    let pauses = [5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000, 0, 5];
    assert_eq!(script.pauses(), pauses);
    let waited: u64 = 5 + 10 + 20 + 40 + 80 + 160 + 320 + 640 + 3000;
    let recovered = format!(
        "the server accepts again, after {:?} and 11 attempts in vain",
        Duration::from_millis(waited)
    );
    let again = "the server accepts again, after 5ms and 1 attempt in vain";
    assert_eq!(log, [BUSY, &recovered, BUSY, again]);
    let stats = server.stats();
    assert_eq!((stats.accept_errors, stats.completed), (12, 2));
    assert!(!stats.is_exhausted);
}

#[test]
fn a_connection_that_ends_ends_the_wait() {
    let script = Scripted::new([0].into_iter().chain([libc::EMFILE; 12]).chain([0]));
    // In the middle of a wait of a second, 1275 ms after the first error.
    let handler = async || sleep(Duration::from_millis(2000)).await.unwrap();
    let (result, log, server) = play(&script, handler);
    result.unwrap();
    // Then, all over: what was given back may take a moment to arrive.
    let pauses = [0, 5, 10, 20, 40, 80, 160, 320, 640, 725, 5, 10, 20];
    assert_eq!(script.pauses(), pauses);
    assert_eq!((log.len(), server.stats().completed), (2, 2));
}

#[test]
fn errors_of_single_connections_without_end_are_waited_for() {
    let script = Scripted::new([libc::ECONNABORTED; 102].into_iter().chain([0]));
    let (result, log, _) = play(&script, async || {});
    result.unwrap();
    let mut pauses = vec![0; 99];
    pauses.extend([5, 10, 20]);
    assert_eq!(script.pauses(), pauses);
    assert_eq!(log.len(), 2, "{log:?}");
    // With connections in between, there is an end.
    let some = [[libc::ECONNABORTED; 60]; 2].map(|some| some.into_iter().chain([0]));
    let script = Scripted::new(some.into_iter().flatten());
    let (result, log, _) = play(&script, async || {});
    result.unwrap();
    assert_eq!(log, [""; 0]);
}

#[test]
fn any_other_error_ends_the_server_when_its_handlers_have_cleaned_up() {
    let script = Scripted::new([0, libc::EINVAL]);
    let cleaned = Rc::new(Cell::new(false));
    let done = Rc::clone(&cleaned);
    let handler = async move || {
        let cancelled = sleep(Duration::MAX).await.unwrap_err();
        assert!(
            cancelled.to_string().contains("cannot accept any more"),
            "{cancelled}"
        );
        shield(sleep(Duration::from_millis(7))).await.unwrap();
        done.set(true);
    };
    let (result, log, server) = play(&script, handler);
    assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::EINVAL));
    assert!(cleaned.get() && server.is_closed());
    assert_eq!(log, Vec::<String>::new(), "it is returned");
}

#[test]
fn a_server_that_waits_for_descriptors_can_be_stopped() {
    let script = Scripted::new([libc::EMFILE; 30]);
    let serving = serve(script.clone(), async |(), _| {}).on_error(|_| ());
    let server = serving.server();
    run_virtual(async move {
        let begin = now();
        let stopping = async {
            sleep(Duration::from_millis(2)).await.unwrap();
            assert!(server.stats().is_exhausted);
            server.stop_accepting();
        };
        let (result, ()) = ringloop::future::join(serving.into_future(), stopping).await;
        result.unwrap();
        assert_eq!(now() - begin, Duration::from_millis(2));
        assert!(!server.stats().is_exhausted);
    });
    assert_eq!(script.pauses(), Vec::<u128>::new());
}

#[test]
fn the_limit_holds_for_any_listener() {
    let script = Scripted::new([0; 50]);
    let (most, live) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (peak, now) = (Rc::clone(&most), Rc::clone(&live));
    let serving = serve(script, async move |(), _| {
        now.update(|count| count + 1);
        peak.set(peak.get().max(now.get()));
        sleep(Duration::from_millis(1)).await.unwrap();
        now.update(|count| count - 1);
    });
    let server = serving.server();
    run_virtual(async move {
        let serving = spawn(serving.limit(7).into_future());
        sleep(Duration::from_millis(100)).await.unwrap();
        server.stop_accepting();
        serving.await.unwrap().unwrap();
        assert_eq!((server.stats().completed, most.get()), (50, 7));
    });
}

/// Descriptors until there are no more.
fn all_descriptors() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

#[test]
fn without_descriptors_a_server_waits_and_goes_on_when_there_are_some() {
    if !alone(
        "net_serve_errors::without_descriptors_a_server_waits_and_goes_on_when_there_are_some",
    ) {
        return;
    }
    kernel::open_at_most_descriptors(64);
    let log = Rc::new(RefCell::new(Vec::new()));
    let lines = Rc::clone(&log);
    let mut runtime = Runtime::new().unwrap();
    let fds = open_fds();
    runtime.block_on(async {
        let (listener, address) = listener().await;
        let gate = Rc::new(Event::new());
        let opened = Rc::clone(&gate);
        let handler = async move |_stream: TcpStream, _peer| opened.wait().await.unwrap();
        let server = serve(listener, handler)
            .on_error(move |report| lines.borrow_mut().push(report))
            .spawn();
        let first = std::net::TcpStream::connect(address).unwrap();
        until(|| server.stats().live == 1).await;
        let client =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        let held = all_descriptors();
        client.connect(&address.into()).unwrap();
        sleep(Duration::from_millis(60)).await.unwrap();
        // After 0, 5, 15 and 35 ms: it does not spin.
        let stats = server.stats();
        assert!((1..=4).contains(&stats.accept_errors), "{stats:?}");
        assert!(stats.is_exhausted);
        assert!(
            matches!(log.borrow()[..], [ServeReport::Exhausted { .. }]),
            "{log:?}"
        );
        drop(held);
        let begin = now();
        until(|| server.stats().accepted == 2).await;
        assert!(now() - begin < Duration::from_millis(1100));
        assert!(
            matches!(log.borrow()[1..], [ServeReport::Recovered { .. }]),
            "{log:?}"
        );
        // And once more: one of its own connections ends, which is told at once.
        let another =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        let held = all_descriptors();
        another.connect(&address.into()).unwrap();
        until(|| server.stats().is_exhausted).await;
        gate.set();
        until(|| server.stats().completed == 3).await;
        assert_eq!(log.borrow().len(), 4, "{log:?}");
        drop((first, held));
        server.stop_accepting();
        server.wait_closed().await.unwrap();
    });
    settle(&mut runtime, fds);
}

/// Has a connection as soon as the event says so.
struct Gate(Rc<Event>);

impl Listener for Gate {
    type Stream = ();
    type Addr = &'static str;

    async fn accept(&self) -> io::Result<((), &'static str)> {
        self.0.wait().await?;
        Ok(((), "somebody"))
    }

    fn local_addr(&self) -> io::Result<&'static str> {
        Ok("nowhere")
    }
}

#[test]
fn what_comes_in_the_turn_of_the_stop_is_left_to_the_listener() {
    run_virtual(async {
        let gate = Rc::new(Event::new());
        let server = serve(Gate(Rc::clone(&gate)), async |(), _| {}).spawn();
        sleep(Duration::from_millis(1)).await.unwrap();
        assert!(server.is_serving());
        gate.set();
        server.stop_accepting();
        server.wait_closed().await.unwrap();
        assert_eq!(server.stats().accepted, 0);
    });
}

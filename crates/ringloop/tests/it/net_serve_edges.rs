//! Servers that are called back from where it is least expected.

use std::cell::{Cell, RefCell};
use std::future::{IntoFuture, pending};
use std::io;
use std::rc::Rc;

use ringloop::net::{Listener, ServeReport, Server, serve};
use ringloop::task::{checkpoint, yield_now};
use ringloop::{Runtime, spawn};

use crate::rig::{assert_cancelled, in_cancelled_scope, run_virtual, until};

/// Has so many connections, and then none.
#[derive(Clone)]
struct Doors {
    left: Rc<Cell<usize>>,
    /// What it was told about its room.
    rooms: Rc<RefCell<Vec<usize>>>,
    address: Address,
}

impl Doors {
    fn new(count: usize) -> Self {
        Self {
            left: Rc::new(Cell::new(count)),
            rooms: Rc::default(),
            address: Address::default(),
        }
    }
}

impl Listener for Doors {
    type Stream = ();
    type Addr = Address;

    async fn accept(&self) -> io::Result<((), Address)> {
        checkpoint().await?;
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => ringloop::sync::Event::new().wait().await?,
        }
        Ok(((), Address::default()))
    }

    fn local_addr(&self) -> io::Result<Address> {
        Ok(self.address.clone())
    }

    fn set_room(&self, connections: usize) {
        self.rooms.borrow_mut().push(connections);
    }
}

type Hook = Rc<dyn Fn()>;

/// Calls when it is cloned, and when it is dropped.
#[derive(Default)]
struct Address {
    hook: Rc<RefCell<Option<Hook>>>,
}

impl Address {
    fn call(&self) {
        let hook = self.hook.borrow().clone();
        if let Some(hook) = hook {
            hook();
        }
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("somewhere")
    }
}

impl Clone for Address {
    fn clone(&self) -> Self {
        self.call();
        let hook = Rc::clone(&self.hook);
        Self { hook }
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        self.call();
    }
}

/// Uses everything that a handle has.
fn use_all(server: &Server<Address>) {
    drop((server.stats(), server.is_serving(), server.local_addr()));
    server.close_clients();
    server.abort_clients();
    server.stop_accepting();
}

struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn a_server_without_listeners_is_closed_by_its_stop() {
    run_virtual(async {
        let server: Server = Server::new();
        let handle = server.clone();
        let closed = spawn(async move { handle.wait_closed().await });
        yield_now().await.unwrap();
        assert!(!closed.is_finished());
        server.stop_accepting();
        closed.await.unwrap().unwrap();
    });
}

#[test]
fn addresses_may_call_their_server() {
    run_virtual(async {
        let doors = Doors::new(0);
        let hook = Rc::clone(&doors.address.hook);
        let serving = serve(doors, async |(), _| ());
        let server = serving.server();
        let handle = server.clone();
        let is_inside = Cell::new(false);
        let calls = Rc::new(Cell::new(0));
        let count = Rc::clone(&calls);
        *hook.borrow_mut() = Some(Rc::new(move || {
            count.set(count.get() + 1);
            if !is_inside.replace(true) {
                // Makes the server change, and gives it another listener.
                drop(serve(Doors::new(0), async |(), _| ()).control(&handle));
                drop((handle.stats(), handle.local_addrs()));
                is_inside.set(false);
            }
        }));
        drop(server.local_addrs());
        let serving = spawn(serving.into_future());
        yield_now().await.unwrap();
        assert!(server.is_serving());
        server.stop_accepting();
        serving.await.unwrap().unwrap();
        assert!(calls.get() > 3);
        hook.take();
    });
}

#[test]
fn handlers_may_call_their_server_from_their_destructors() {
    for end in 0..3 {
        call_from_destructors(end);
    }
}

fn call_from_destructors(end: usize) {
    run_virtual(async {
        let server = Server::new();
        let handle = server.clone();
        let started = Rc::new(Cell::new(0));
        let count = Rc::clone(&started);
        let handler = async move |(), _| {
            let handle = handle.clone();
            let _calls = OnDrop(move || use_all(&handle));
            count.set(count.get() + 1);
            match (count.get(), end) {
                (..=3, _) => pending().await,
                (_, 0) => Err("no"),
                (_, 1) => panic!("no, no"),
                _ => Ok(()),
            }
        };
        let reports = Rc::new(Cell::new(0));
        let (count, handle) = (Rc::clone(&reports), server.clone());
        // What the hook panics with goes no further.
        let calls = Rc::new(Cell::new(0));
        let hook_calls = Rc::clone(&calls);
        let serving = serve(Doors::new(4), handler).control(&server).on_error(
            move |_report: ServeReport<&str>| {
                count.set(count.get() + 1);
                hook_calls.set(1);
                use_all(&handle);
                hook_calls.set(0);
            },
        );
        serving.await.unwrap();
        let stats = server.stats();
        let ended = (stats.failed, stats.panicked, stats.completed);
        let expected = [(1, 0, 0), (0, 1, 0), (0, 0, 1)];
        assert_eq!((started.get(), ended), (4, expected[end]));
        assert_eq!((stats.live, stats.cancelled), (0, 3));
        assert_eq!((reports.get(), calls.get()), (u64::from(end < 2), 0));
        assert!(server.is_closed());
    });
}

#[test]
fn who_is_told_of_a_failure_sees_that_it_is_over() {
    run_virtual(async {
        let server = Server::new();
        let handle = server.clone();
        let seen = Rc::new(RefCell::new(Vec::new()));
        let log = Rc::clone(&seen);
        let number = Cell::new(0);
        let handler = async move |(), _| {
            number.set(number.get() + 1);
            match number.get() {
                1 => Err::<(), _>("no"),
                _ => panic!("no, no"),
            }
        };
        let serving = serve(Doors::new(2), handler)
            .control(&server)
            .on_error(move |_report: ServeReport<&str>| log.borrow_mut().push(handle.stats()))
            .spawn();
        until(|| server.stats().panicked == 1).await;
        serving.stop_accepting();
        serving.wait_closed().await.unwrap();
        let seen = seen.borrow();
        let counts = seen.iter().map(|stats| {
            let ended = (stats.failed, stats.panicked, stats.cancelled);
            (stats.accepted - stats.live as u64, ended)
        });
        let counts: Vec<_> = counts.collect();
        assert_eq!(counts, [(1, (1, 0, 0)), (2, (1, 1, 0))]);
    });
}

#[test]
fn a_handler_that_aborts_all_is_aborted_too() {
    run_virtual(async {
        let server = Server::new();
        let handle = server.clone();
        let log = Rc::new(RefCell::new(Vec::new()));
        let lines = Rc::clone(&log);
        let handler = async move |(), _| {
            let number = handle.stats().accepted;
            let lines = Rc::clone(&lines);
            let _gone = OnDrop(move || lines.borrow_mut().push(number));
            until(|| handle.stats().accepted == 3).await;
            if number == 3 {
                handle.abort_clients();
                // It goes on up to its next wait.
                assert!(handle.is_serving());
            }
            pending::<()>().await;
        };
        let serving = serve(Doors::new(3), handler).control(&server).spawn();
        until(|| serving.stats().cancelled == 3).await;
        assert_eq!(log.borrow().len(), 3);
        assert!(serving.is_serving());
        serving.stop_accepting();
        serving.wait_closed().await.unwrap();
    });
}

#[test]
fn a_destructor_that_panics_is_told_once_and_frees_the_place() {
    let told = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&told);
    let hook = move |unhandled: &ringloop_task::Unhandled| {
        log.borrow_mut().push(unhandled.to_string());
    };
    let mut runtime = Runtime::builder().on_unhandled(hook).build().unwrap();
    runtime.block_on(async {
        let handler = async |(), _| {
            let _fuse = OnDrop(|| panic!("in the destructor"));
            pending::<()>().await;
        };
        let server = serve(Doors::new(2), handler).limit(1).spawn();
        for accepted in 1..=2 {
            until(|| server.stats().accepted == accepted).await;
            yield_now().await.unwrap();
            server.abort_clients();
        }
        until(|| server.stats().live == 0).await;
        assert!(server.is_serving());
        server.stop_accepting();
        server.wait_closed().await.unwrap();
        assert_eq!(server.stats().cancelled, 2);
    });
    let told = told.borrow();
    assert_eq!(told.len(), 2);
    for (line, number) in told.iter().zip(1..) {
        assert!(line.contains("in the destructor"), "{line}");
        assert!(
            line.contains(&format!("connection {number} from somewhere")),
            "{line}"
        );
    }
}

#[test]
fn a_server_that_is_cancelled_before_it_begins_accepts_nobody() {
    run_virtual(async {
        let doors = Doors::new(3);
        let left = Rc::clone(&doors.left);
        let serving = serve(doors, async |(), _| {
            let nobody: Result<(), &str> = Err("is let in");
            nobody
        });
        let server = serving.server();
        let result = in_cancelled_scope(serving.into_future()).await;
        if let Some(result) = result {
            assert_cancelled(&result);
        }
        assert_eq!(left.get(), 3);
        assert!(server.is_closed());
        server.wait_closed().await.unwrap();
    });
}

#[test]
fn a_server_may_be_its_own_control() {
    run_virtual(async {
        let serving = serve(Doors::new(1), async |(), _| ());
        let server = serving.server();
        let server = {
            let serving = serving.control(&server);
            assert_eq!(server.local_addrs().len(), 1);
            serving.spawn()
        };
        until(|| server.stats().completed == 1).await;
        server.stop_accepting();
        server.wait_closed().await.unwrap();
    });
}

#[test]
fn a_listener_hears_how_much_room_there_is() {
    run_virtual(async {
        let doors = Doors::new(5);
        let rooms = Rc::clone(&doors.rooms);
        let server = serve(doors, async |(), _| pending::<()>().await)
            .limit(3)
            .spawn();
        until(|| server.stats().live == 3).await;
        yield_now().await.unwrap();
        assert_eq!(*rooms.borrow(), [2, 1, 0]);
        server.stop_accepting();
        until(|| !server.is_serving() && rooms.borrow().len() == 4).await;
        assert_eq!(rooms.borrow()[3], usize::MAX);
        server.abort_clients();
        server.wait_closed().await.unwrap();
    });
}

//! Connects and accepts that are given up at any point, with everything going wrong: each connection
//! that was made is accepted once, and what nobody wants is closed.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::sim::{SimConfig, Simulation};
use ringloop_proactor::{Accepted, Acceptor, Config, Fd, Handle, Proactor, Receiver, Sender};

use super::seeds::{Choice, each_seed};
use crate::rig::Count;

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// What the clients and the server have done.
#[derive(Default)]
struct Ledger {
    /// The numbers of clients that were told that they are connected, and were not given up since.
    connected: RefCell<BTreeSet<u8>>,
    /// The numbers that were read from accepted connections.
    served: RefCell<BTreeSet<u8>>,
    accepted: Cell<usize>,
}

/// A client, given up by being dropped at any of its polls.
struct Client {
    task: Task,
    number: u8,
}

/// Connects, sends its number and waits until the server has closed.
async fn visit(handle: Handle, address: SocketAddr, ledger: Rc<Ledger>, number: u8) {
    let socket = loop {
        match handle.socket(libc::AF_INET, libc::SOCK_STREAM, 0).await {
            Ok(socket) => break handle.adopt(socket),
            Err(error) => assert!(is_out_of_descriptors(&error), "{error}"),
        }
    };
    if handle.connect(&socket, address).await.is_err() {
        return;
    }
    ledger.connected.borrow_mut().insert(number);
    let mut receiver = Receiver::new(socket.clone());
    let mut sender = Sender::new(socket);
    sender.write_all(&[number]).await.unwrap();
    let end = receiver.read(&mut [0]).await;
    assert!(matches!(end, Ok(0)), "{end:?}");
}

/// Reads the number of a client, if it sends one.
async fn serve(connection: Fd, ledger: Rc<Ledger>) {
    let mut number = [0];
    if let Ok(1) = Receiver::new(connection).read(&mut number).await {
        assert!(ledger.served.borrow_mut().insert(number[0]), "served twice");
    }
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    [Some(libc::EMFILE), Some(libc::ENFILE)].contains(&error.raw_os_error())
}

/// The server's side: accepts that come and go, and the connections they have brought.
struct Server<'a> {
    acceptor: &'a Acceptor,
    waiting: Vec<Accepted<'a>>,
    connections: Vec<Task>,
}

impl Server<'_> {
    fn accept(&mut self, at: usize, cx: &mut Context<'_>, ledger: &Rc<Ledger>) {
        let Poll::Ready(result) = Pin::new(&mut self.waiting[at]).poll(cx) else {
            return;
        };
        drop(self.waiting.swap_remove(at));
        match result {
            Ok(connection) => self.serve(connection, ledger),
            Err(error) => assert!(is_out_of_descriptors(&error), "{error}"),
        }
    }

    fn serve(&mut self, connection: OwnedFd, ledger: &Rc<Ledger>) {
        ledger.accepted.update(|count| count + 1);
        let connection = self.acceptor.fd().handle().adopt(connection);
        let served = serve(connection, Rc::clone(ledger));
        self.connections.push(Box::pin(served));
    }

    /// Begins or goes on to stop, also while others wait, which is given up if they go on.
    fn stop(&mut self, cx: &mut Context<'_>, ledger: &Rc<Ledger>) {
        if self.acceptor.poll_stop(cx).is_pending() {
            return;
        }
        for connection in self.acceptor.take_accepted() {
            self.serve(connection, ledger);
        }
        let stopped = format!("{:?}", self.acceptor);
        assert!(stopped.contains("queued: 0, armed: false"), "{stopped}");
    }
}

fn check(seed: u64) {
    let mut choice = Choice::new(seed);
    let config = Config::default().ring_entries(1 << choice.below(4));
    let sim = SimConfig::default()
        .seed(seed)
        .completion_entries(2 + u32::try_from(choice.below(7)).unwrap())
        .patience(Duration::ZERO)
        .faults(super::echo::lossless());
    let mut proactor = Proactor::simulated(&config, &sim);
    let simulation = proactor.simulation().unwrap();
    let address = "127.0.0.1:9".parse().unwrap();
    let handle = proactor.handle();
    let acceptor = Acceptor::new(handle.adopt(simulation.listen(address).unwrap()));
    let ledger = Rc::<Ledger>::default();
    let clients = (0..CLIENTS).map(|number| Client {
        task: Box::pin(visit(handle.clone(), address, Rc::clone(&ledger), number)),
        number,
    });
    let mut clients = clients.collect();
    let mut server = Server {
        acceptor: &acceptor,
        waiting: Vec::new(),
        connections: Vec::new(),
    };
    go_on(
        (&mut proactor, &simulation),
        &mut choice,
        &mut clients,
        &mut server,
        &ledger,
    );
    let trace = || simulation.trace();
    let unserved: Vec<_> = ledger
        .connected
        .borrow()
        .difference(&ledger.served.borrow())
        .copied()
        .collect();
    assert_eq!(unserved, [0; 0], "{}", trace());
    drop((clients, server));
    drop(acceptor);
    crate::rig::settle(&mut proactor);
    assert_eq!(proactor.shut_down(), 0);
    assert_eq!(proactor.stats().live, 0);
    drop((handle, proactor));
    assert_eq!(simulation.open_descriptors(), 0, "{}", trace());
}

/// Lets chance decide who acts, until all clients are served or gone.
fn go_on(
    (proactor, simulation): (&mut Proactor, &Simulation),
    choice: &mut Choice,
    clients: &mut Vec<Client>,
    server: &mut Server<'_>,
    ledger: &Rc<Ledger>,
) {
    let wakes = Arc::<Count>::default();
    let waker = Waker::from(Arc::clone(&wakes));
    let cx = &mut Context::from_waker(&waker);
    for _ in 0..100_000 {
        if clients.is_empty() && server.connections.is_empty() {
            return;
        }
        match choice.below(12) {
            0..3 if !clients.is_empty() => {
                let at = choice.below(clients.len());
                if clients[at].task.as_mut().poll(cx).is_ready() {
                    drop(clients.swap_remove(at));
                }
            }
            3 if !clients.is_empty() && choice.once_in(6) => {
                let client = clients.swap_remove(choice.below(clients.len()));
                ledger.connected.borrow_mut().remove(&client.number);
            }
            4 if server.waiting.len() < 4 => server.waiting.push(server.acceptor.accept()),
            5..8 if !server.waiting.is_empty() => {
                server.accept(choice.below(server.waiting.len()), cx, ledger);
            }
            8 if !server.waiting.is_empty() && choice.once_in(2) => {
                drop(
                    server
                        .waiting
                        .swap_remove(choice.below(server.waiting.len())),
                );
            }
            9 => server
                .connections
                .retain_mut(|task| task.as_mut().poll(cx).is_pending()),
            10 if choice.once_in(3) => server.stop(cx, ledger),
            _ => proactor.park(Some(Duration::from_millis(1))).unwrap(),
        }
    }
    panic!(
        "no progress, {} accepted:\n{}",
        ledger.accepted.get(),
        simulation.trace()
    );
}

#[test]
fn each_connection_is_accepted_once_however_waits_are_given_up() {
    each_seed(100, check);
}

const CLIENTS: u8 = 12;

//! Operations of all kinds, polled, cancelled and dropped in any order, with everything going wrong.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::sim::{Faults, SimConfig};
use ringloop_proactor::{Acceptor, Config, Fd, Handle, Link, Proactor, Receiver, Sender};

/// Numbers for the choices of a test, from a seed of its own.
struct Choice(u64);

impl Choice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

struct World {
    handle: Handle,
    near: Fd,
    far: Fd,
    file: Fd,
    listener: Fd,
    address: SocketAddr,
}

/// Some operation, as a future that takes whatever comes.
fn start(world: &World, choice: &mut Choice) -> Task {
    let handle = world.handle.clone();
    let World {
        near, far, file, ..
    } = world;
    let path = Path::new("/tmp/storm");
    match choice.below(14) {
        0 => ignore(handle.nop()),
        1 => ignore(handle.recv(near, vec![0; 300])),
        2 => ignore(handle.recv(far, Vec::with_capacity(50))),
        3 => ignore(handle.send(near, vec![3; 200])),
        4 => ignore(handle.send(far, vec![4; 900])),
        5 => ignore(handle.read(file, vec![0; 100], choice.below(64) as u64)),
        6 => ignore(handle.write(file, vec![6; 100], choice.below(64) as u64)),
        7 => ignore(handle.accept(&world.listener)),
        8 => ignore(handle.poll(near, 1)),
        9 => ignore(
            handle
                .open(path, libc::O_RDWR | libc::O_CREAT, 0o600)
                .unwrap(),
        ),
        10 => ignore(connect(handle, world.address)),
        11 => ignore(
            handle
                .send(near, vec![1; 20])
                .then(handle.recv(far, vec![0; 20])),
        ),
        12 => ignore(
            handle
                .recv(near, vec![0; 20])
                .with_timeout(Duration::from_millis(2)),
        ),
        _ => ignore(handle.recv(near, vec![0; 20]).cancel()),
    }
}

fn ignore<F: Future + 'static>(future: F) -> Task {
    Box::pin(async {
        drop(future.await);
    })
}

async fn connect(handle: Handle, address: SocketAddr) {
    if let Ok(socket) = handle.socket(libc::AF_INET, libc::SOCK_STREAM, 0).await {
        let socket = handle.adopt(socket);
        let mut sender = Sender::new(socket.clone());
        let mut receiver = Receiver::new(socket.clone());
        if handle.connect(&socket, address).await.is_ok() {
            drop(sender.write_all(b"hello").await);
            drop(receiver.read(&mut [0; 8]).await);
        }
    }
}

async fn serve(acceptor: Acceptor) {
    let handle = acceptor.fd().handle().clone();
    loop {
        if let Ok(socket) = acceptor.accept().await {
            let socket = handle.adopt(socket);
            let mut sender = Sender::new(socket.clone());
            drop(Receiver::new(socket).read_chunk().await);
            drop(sender.write_all(b"bye").await);
        }
    }
}

fn storm(seed: u64) {
    let config = Config::default()
        .ring_entries(4)
        .buffer_count(4)
        .buffer_len_bytes(64);
    let sim = SimConfig::default()
        .seed(seed)
        .faults(Faults::wild())
        .completion_entries(5)
        .socket_bytes(500)
        .patience(Duration::ZERO);
    let mut proactor = Proactor::simulated(&config, &sim);
    let simulation = proactor.simulation().unwrap();
    simulation.write_file("/tmp/storm", &[9; 200]);
    let handle = proactor.handle();
    let (near, far) = simulation.socket_pair().unwrap();
    let address = "127.0.0.1:9".parse().unwrap();
    let listener = handle.adopt(simulation.listen(address).unwrap());
    let file = loop {
        let flags = libc::O_RDWR;
        let opened = handle.open(Path::new("/tmp/storm"), flags, 0).unwrap();
        if let Ok(file) = proactor.block_on(opened).unwrap() {
            break handle.adopt(file);
        }
    };
    let world = World {
        near: handle.adopt(near),
        far: handle.adopt(far),
        file,
        address,
        listener: listener.clone(),
        handle,
    };
    let mut choice = Choice(seed.wrapping_mul(0x9e37_79b9).max(1));
    let mut tasks: Vec<Task> = vec![Box::pin(serve(Acceptor::new(listener)))];
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..400 {
        match choice.below(10) {
            0..4 => tasks.push(start(&world, &mut choice)),
            4..7 => tasks.retain_mut(|task| task.as_mut().poll(&mut cx).is_pending()),
            7 if tasks.len() > 8 => drop(tasks.swap_remove(choice.below(tasks.len()))),
            8 => proactor.park(Some(Duration::from_millis(1))).unwrap(),
            _ => proactor.park(Some(Duration::ZERO)).unwrap(),
        }
    }
    drop(tasks);
    drop(world);
    crate::rig::settle(&mut proactor);
    let trace = || simulation.trace();
    assert_eq!(simulation.lent_buffers(), 0, "seed {seed}:\n{}", trace());
    assert_eq!(proactor.shut_down(), 0, "seed {seed}:\n{}", trace());
    let stats = proactor.stats();
    assert_eq!((stats.live, stats.stale_completions), (0, 0), "seed {seed}");
    // The poll of the proactor's own eventfd may be left: it names no memory.
    assert!(
        simulation.in_flight() <= 1,
        "seed {seed}:
{}",
        trace()
    );
    drop(proactor);
    assert_eq!(
        simulation.open_descriptors(),
        0,
        "seed {seed}:\n{}",
        trace()
    );
}

#[test]
fn everything_ends_and_nothing_leaks_in_a_storm() {
    for seed in 0..100 {
        storm(seed);
    }
}

//! An echo server on an executor of its own: `cargo run --example echo_multishot -- 127.0.0.1:7000`.
//! Without an address it serves three clients of its own, and ends.
//!
//! One request to the kernel accepts all connections, one for each connection receives all that comes.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]
#![expect(clippy::print_stderr, reason = "and says what is wrong")]

use std::cell::RefCell;
use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::thread::{self, JoinHandle};

use ringloop_proactor::{Config, Driver, Fd, Handle, Proactor, Receiver, Sender};

const CLIENTS: usize = 3;

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// The whole executor: it polls everything, and parks. Its tasks wait for the kernel only, so nobody
/// has to be woken; a larger one polls only who was.
fn run(proactor: &mut Proactor, new: &RefCell<Vec<Task>>) -> io::Result<()> {
    let mut tasks: Vec<Task> = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        tasks.append(&mut new.borrow_mut());
        tasks.retain_mut(|task| task.as_mut().poll(&mut cx).is_pending());
        match (new.borrow().is_empty(), tasks.is_empty()) {
            (true, true) => return Ok(()),
            (true, false) => proactor.park(None)?,
            // Those that have come about meanwhile are polled before anybody sleeps.
            (false, _) => {}
        }
    }
}

fn main() -> ExitCode {
    let address = std::env::args().nth(1);
    let Err(error) = serve_on(address.as_deref()) else {
        return ExitCode::SUCCESS;
    };
    let address = address.as_deref().unwrap_or("127.0.0.1");
    eprintln!("echo_multishot: cannot serve on `{address}`: {error}");
    ExitCode::FAILURE
}

fn serve_on(address: Option<&str>) -> io::Result<()> {
    let listener = TcpListener::bind(address.unwrap_or("127.0.0.1:0"))?;
    let connections = if address.is_some() {
        usize::MAX
    } else {
        CLIENTS
    };
    let clients = match address {
        Some(_) => Vec::new(),
        None => clients(listener.local_addr()?),
    };

    let mut proactor = Proactor::new(&Config::default())?;
    let handle = proactor.handle();
    let tasks = Rc::new(RefCell::new(Vec::new()));
    let served = serve(handle.clone(), listener, connections, Rc::clone(&tasks));
    tasks.borrow_mut().push(Box::pin(served) as Task);
    run(&mut proactor, &tasks)?;
    drop(proactor); // The last connections are closed through the ring.

    let mut echoed = 0;
    for client in clients {
        echoed += client.join().expect("a client does not panic")?;
    }
    println!("{CLIENTS} clients, {echoed} bytes there and back");
    Ok(())
}

/// Accepts as many connections as it is told to, each a task of its own.
async fn serve(handle: Handle, listener: TcpListener, count: usize, tasks: Rc<RefCell<Vec<Task>>>) {
    let mut connections = handle.accept_multishot(&handle.adopt(listener));
    for _ in 0..count {
        match connections.next().await {
            Some(Ok(connection)) => {
                let echo = echo(handle.adopt(connection));
                tasks.borrow_mut().push(Box::pin(echo));
            }
            // Out of descriptors, say. The others are served all the same.
            Some(Err(error)) => println!("accept: {error}"),
            None => return,
        }
    }
}

async fn echo(connection: Fd) {
    let mut receiver = Receiver::new(connection.clone());
    let mut sender = Sender::new(connection);
    let echoed = async {
        loop {
            // Lent: the bytes stay where the kernel has put them.
            let chunk = receiver.read_chunk().await?;
            if chunk.is_empty() {
                return sender.flush().await;
            }
            sender.write_all(&chunk).await?;
        }
    };
    if let Err(error) = echoed.await {
        println!("echo: {error}");
    }
}

/// Clients that send a hundred lines each, and look at what comes back.
fn clients(address: SocketAddr) -> Vec<JoinHandle<io::Result<usize>>> {
    let client = move |number| {
        let mut stream = TcpStream::connect(address)?;
        let line = format!("client {number} says hello\n");
        let sent = line.repeat(100);
        stream.write_all(sent.as_bytes())?;
        stream.shutdown(Shutdown::Write)?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        assert_eq!(reply, sent, "an echo");
        Ok(reply.len())
    };
    let numbers = 0..CLIENTS;
    numbers
        .map(|number| thread::spawn(move || client(number)))
        .collect()
}

//! An echo server: `cargo run --release --example echo`, then `nc 127.0.0.1 7000`. It takes another
//! address: `... echo -- 0.0.0.0:7007`. Ctrl-c stops it: it accepts no more, ends the connections
//! and says what it has done.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]
#![expect(clippy::print_stderr, reason = "and says what is wrong")]

use std::{cell::Cell, io, process::ExitCode, rc::Rc};

use ringloop::net::{self, TcpListener, TcpStream};
use ringloop::signal::CtrlC;

#[ringloop::main]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:7000".into());
    let Err(error) = run(&address).await else {
        return ExitCode::SUCCESS;
    };
    eprintln!("echo: cannot serve on `{address}`: {error}");
    ExitCode::FAILURE
}

async fn run(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let mut ctrl_c = CtrlC::new()?;
    println!("echoing on {}; ctrl-c stops it", listener.local_addr()?);
    let bytes = Rc::new(Cell::new(0));
    let total = Rc::clone(&bytes);
    let server = net::serve(listener, async move |stream, _peer| {
        echo(stream, &total).await
    })
    .spawn();
    ctrl_c.wait().await?;
    server.stop_accepting();
    server.close_clients();
    server.wait_closed().await?;
    let connections = server.stats().accepted;
    println!("{connections} connections, {} bytes echoed", bytes.get());
    Ok(())
}

/// A client that goes away in the middle is reported to the hook of the runtime, which there is none
/// of: the `?` just ends its task.
async fn echo(mut stream: TcpStream, total: &Cell<u64>) -> io::Result<()> {
    let mut buf = vec![0; 16 * 1024];
    while let count @ 1.. = stream.read(&mut buf).await? {
        stream.write_all(&buf[..count]).await?;
        total.set(total.get() + count as u64);
    }
    stream.close().await
}

//! An echo server: `cargo run --release --example echo`, then `nc 127.0.0.1 7000`. It takes another
//! address: `... echo -- 0.0.0.0:7007`. Ctrl-c stops it: it accepts no more, ends the connections
//! and says what it has done.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]
#![expect(clippy::print_stderr, reason = "and says what is wrong")]

use std::{cell::Cell, io, process::ExitCode, rc::Rc, time::Duration};

use ringloop::net::{TcpListener, TcpStream};
use ringloop::{signal::CtrlC, sleep, spawn};

#[ringloop::main]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:7000".into());
    let Err(error) = run(&address).await else {
        return ExitCode::SUCCESS;
    };
    eprintln!("echo: cannot serve on `{address}`: {error}");
    ExitCode::FAILURE
}

/// Connections served and bytes echoed.
type Totals = Rc<Cell<(u64, u64)>>;

async fn run(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let mut ctrl_c = CtrlC::new()?;
    println!("echoing on {}; ctrl-c stops it", listener.local_addr()?);
    let totals = Totals::default();
    let server = spawn(serve(listener, Rc::clone(&totals)));
    ctrl_c.wait().await?;
    server.abort();
    let (connections, bytes) = totals.get();
    println!("{connections} connections, {bytes} bytes echoed");
    // Connections that are left when `main` returns are cancelled and awaited.
    Ok(())
}

async fn serve(listener: TcpListener, totals: Totals) -> io::Result<()> {
    loop {
        match listener.accept().await {
            Ok((stream, _peer)) => drop(spawn(echo(stream, Rc::clone(&totals)))),
            // Out of descriptors, perhaps: those who wait are served when others have left.
            Err(_) => sleep(Duration::from_millis(100)).await?,
        }
    }
}

/// A client that goes away in the middle is nothing to report: the `?` just ends its task.
async fn echo(mut stream: TcpStream, totals: Totals) -> io::Result<()> {
    let mut buf = vec![0; 16 * 1024];
    totals.update(|(connections, bytes)| (connections + 1, bytes));
    while let count @ 1.. = stream.read(&mut buf).await? {
        stream.write_all(&buf[..count]).await?;
        totals.update(|(connections, bytes)| (connections, bytes + count as u64));
    }
    stream.close().await
}

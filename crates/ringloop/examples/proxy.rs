//! A proxy that passes on what comes, both ways: `cargo run --example echo`, then
//! `cargo run --example proxy`, then `nc 127.0.0.1 7001`. It takes other addresses, its own and that
//! of the server behind it: `... proxy -- 0.0.0.0:8000 example.org:80`. Ctrl-c stops it.
//!
//! A side that says no more is passed on as such, and can still be answered. A reset ends both
//! sides. While one side does not read, no more than the buffers between hold is read from the other.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]
#![expect(clippy::print_stderr, reason = "and says what is wrong")]

use std::process::ExitCode;
use std::time::Duration;
use std::{cell::Cell, io, rc::Rc};

use ringloop::io::copy_bidirectional;
use ringloop::net::{self, ServeReport, TcpListener, TcpStream};
use ringloop::signal::CtrlC;
use ringloop::timeout;

/// How long the server behind may take to answer a connection.
const PATIENCE: Duration = Duration::from_secs(10);

#[ringloop::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or("127.0.0.1:7001".into());
    let behind = arguments.next().unwrap_or("127.0.0.1:7000".into());
    let Err(error) = run(&address, behind).await else {
        return ExitCode::SUCCESS;
    };
    eprintln!("proxy: cannot serve on `{address}`: {error}");
    ExitCode::FAILURE
}

async fn run(address: &str, behind: String) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let mut ctrl_c = CtrlC::new()?;
    println!(
        "passing on to {behind} from {}; ctrl-c stops it",
        listener.local_addr()?
    );
    let total = Rc::new(Cell::new((0, 0)));
    let passed = Rc::clone(&total);
    let handler = async move |client, _peer| pass_on(client, &behind, &passed).await;
    let server = net::serve(listener, handler)
        .limit(10_000)
        .on_error(|report: ServeReport<io::Error>| eprintln!("proxy: {report}"))
        .spawn();
    ctrl_c.wait().await?;
    server.stop_accepting();
    server.close_clients();
    server.wait_closed().await?;
    let (there, back) = total.get();
    println!(
        "{} connections, {there} bytes there, {back} bytes back",
        server.stats().accepted
    );
    Ok(())
}

/// Where the server behind cannot be reached, the client is closed, and the error is reported.
async fn pass_on(mut client: TcpStream, behind: &str, total: &Cell<(u64, u64)>) -> io::Result<()> {
    let mut server = timeout(PATIENCE, TcpStream::connect(behind)).await??;
    let (there, back) = copy_bidirectional(&mut client, &mut server).await?;
    total.update(|(all_there, all_back)| (all_there + there, all_back + back));
    Ok(())
}

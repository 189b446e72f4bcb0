//! The echo server of asyncio's tutorial on protocols, which is over when its first client leaves:
//! `cargo run --example serve_until_first_client_leaves`, then `nc 127.0.0.1 8888`. It takes another
//! address: `... serve_until_first_client_leaves -- 127.0.0.1:8889`.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]
#![expect(clippy::print_stderr, reason = "and says what is wrong")]

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use ringloop::net::{self, Server, TcpListener, TcpStream};

#[ringloop::main]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8888".into());
    let Err(error) = run(&address).await else {
        return ExitCode::SUCCESS;
    };
    eprintln!("serve_until_first_client_leaves: cannot serve on `{address}`: {error}");
    ExitCode::FAILURE
}

async fn run(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("Serving on {}", listener.local_addr()?);
    let server = Server::new();
    let handle = server.clone();
    let handler = async move |stream, peer| {
        let result = echo(stream, peer).await;
        // Nobody else is let in, and whoever is there is asked to go.
        if handle.stop_accepting() {
            println!("The first client has left");
            handle.close_clients();
        }
        result
    };
    // Over when all handlers are.
    net::serve(listener, handler).control(&server).await?;
    let stats = server.stats();
    println!(
        "{} connections, {} of them closed here",
        stats.accepted, stats.cancelled
    );
    Ok(())
}

async fn echo(mut stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
    println!("Connection from {peer}");
    let mut buf = [0; 4096];
    while let count @ 1.. = stream.read(&mut buf).await? {
        println!(
            "Data received: {:?}",
            String::from_utf8_lossy(&buf[..count])
        );
        stream.write_all(&buf[..count]).await?;
    }
    stream.close().await
}

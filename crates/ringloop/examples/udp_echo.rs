//! Sends every datagram back: `cargo run --release --example udp_echo`, then `nc -u 127.0.0.1 7005`.
//! It takes another address: `... udp_echo -- 0.0.0.0:7005`. Ctrl-c stops it.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]
#![expect(clippy::print_stderr, reason = "and says what is wrong")]

use std::{cell::Cell, io, process::ExitCode};

use ringloop::cancel::is_cancelled;
use ringloop::future::{Either, race};
use ringloop::net::UdpSocket;
use ringloop::signal::CtrlC;

#[ringloop::main]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:7005".into());
    let Err(error) = run(&address).await else {
        return ExitCode::SUCCESS;
    };
    eprintln!("udp_echo: cannot serve on `{address}`: {error}");
    ExitCode::FAILURE
}

async fn run(address: &str) -> io::Result<()> {
    let socket = UdpSocket::bind(address).await?;
    let mut ctrl_c = CtrlC::new()?;
    println!("echoing on {}; ctrl-c stops it", socket.local_addr()?);
    let total = Cell::new((0, 0));
    if let Either::Left(failed) = race(echo(&socket, &total), ctrl_c.wait()).await {
        failed?;
    }
    let (datagrams, bytes) = total.get();
    println!("{datagrams} datagrams, {bytes} bytes echoed");
    Ok(())
}

/// Counts datagrams and bytes.
async fn echo(socket: &UdpSocket, total: &Cell<(u64, usize)>) -> io::Result<()> {
    // As long as a datagram can be.
    let mut buf = vec![0; 65_535];
    loop {
        match echo_one(socket, &mut buf).await {
            Ok(count) => total.update(|(datagrams, bytes)| (datagrams + 1, bytes + count)),
            Err(error) if is_cancelled(&error) => return Err(error),
            // That of an earlier datagram, whose receiver is gone, perhaps.
            Err(error) => eprintln!("udp_echo: {error}"),
        }
    }
}

async fn echo_one(socket: &UdpSocket, buf: &mut [u8]) -> io::Result<usize> {
    let (count, peer) = socket.recv_from(buf).await?;
    socket.send_to(&buf[..count], peer).await?;
    Ok(count)
}

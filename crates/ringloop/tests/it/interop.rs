//! Real programs at the other end: Python's asyncio as client and as server, curl, nc, wrk, redis.
//!
//! Where a program is not installed, the test says so and passes.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use ringloop::future::join;
use ringloop::net::{TcpListener, TcpStream};
use ringloop::{offload, sleep, spawn, timeout};

use crate::rig::{listener, numbered, run};

const MEBIBYTE: usize = 1 << 20;

/// Whether a program is there; says past the harness if it is not.
fn has(program: &str, argument: &str) -> bool {
    let works = Command::new(program)
        .arg(argument)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok();
    if !works {
        let line = format!("skipped: {program} is not installed\n");
        io::stderr().write_all(line.as_bytes()).unwrap();
    }
    works
}

/// Runs a program to its end, which is to be a success, and returns what it printed.
async fn printed_by(mut command: Command) -> String {
    let output = offload(move || command.output()).await.unwrap().unwrap();
    let Output {
        status,
        stdout,
        stderr,
    } = output;
    let errors = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{status} {errors}");
    String::from_utf8_lossy(&stdout).into_owned()
}

/// A program that runs beside the test, and is ended with it.
struct Beside(Child);

impl Drop for Beside {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buf = vec![0; 16 * 1024];
    while let count @ 1.. = stream.read(&mut buf).await? {
        stream.write_all(&buf[..count]).await?;
    }
    stream.close().await
}

/// Echoes every connection until it is dropped.
async fn echo_all(listener: TcpListener) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        spawn(async move { echo(stream).await.unwrap() });
    }
}

/// A client per argument after the port sends as many bytes as it says, ends its side, and checks
/// what comes back.
const ASYNCIO_CLIENT: &str = "
import asyncio, sys

async def visit(port, count):
    data = bytes(at % 251 for at in range(count))
    reader, writer = await asyncio.open_connection('127.0.0.1', port)
    async def send():
        writer.write(data)
        await writer.drain()
        writer.write_eof()
    reply, _ = await asyncio.gather(reader.read(-1), send())
    writer.close()
    await writer.wait_closed()
    return reply == data

async def main():
    port, *counts = map(int, sys.argv[1:])
    print(all(await asyncio.gather(*(visit(port, count) for count in counts))))

asyncio.run(main())
";

#[test]
fn asyncio_as_a_client() {
    if !has("python3", "--version") {
        return;
    }
    run(async {
        let (listener, address) = listener().await;
        let server = spawn(echo_all(listener));
        let mut python = Command::new("python3");
        python.args(["-c", ASYNCIO_CLIENT, &address.port().to_string()]);
        python.arg(MEBIBYTE.to_string());
        python.args((0..100).map(|client| (client * 37).to_string()));
        assert_eq!(printed_by(python).await, "True\n");
        server.abort();
    });
}

/// Echoes until the end of each connection, and prints its port first.
const ASYNCIO_SERVER: &str = "
import asyncio

async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()

async def main():
    server = await asyncio.start_server(echo, '127.0.0.1', 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
";

#[test]
fn asyncio_as_a_server() {
    if !has("python3", "--version") {
        return;
    }
    let mut python = Command::new("python3");
    python.args(["-c", ASYNCIO_SERVER]).stdout(Stdio::piped());
    let mut python = Beside(python.spawn().unwrap());
    let mut port = String::new();
    let stdout = python.0.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut port).unwrap();
    let port: u16 = port.trim().parse().unwrap();
    run(async {
        let lengths = std::iter::once(MEBIBYTE).chain((0..100).map(|client| client * 37));
        let visits: Vec<_> = lengths.map(|len| spawn(visit(port, len))).collect();
        for visit in visits {
            visit.await.unwrap().unwrap();
        }
    });
}

/// Sends and half closes while it reads, and checks what comes back.
async fn visit(port: u16, len: usize) -> io::Result<()> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut reader, mut writer) = stream.into_split();
    let sending = async {
        writer.write_all(&numbered(0, len)).await?;
        writer.shutdown().await
    };
    let mut reply = Vec::new();
    let (sent, received) = join(sending, reader.read_to_end(&mut reply)).await;
    sent?;
    received?;
    assert!(reply == numbered(0, len), "{} bytes of {len}", reply.len());
    Ok(())
}

/// Answers each request of a connection with the same page, whatever it asks for.
async fn answer(mut stream: TcpStream) -> io::Result<()> {
    const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhello\n";
    let mut request = Vec::new();
    let mut buf = [0; 1024];
    loop {
        while let Some(end) = request.windows(4).position(|four| four == b"\r\n\r\n") {
            request.drain(..end + 4);
            stream.write_all(PAGE).await?;
        }
        match stream.read(&mut buf).await? {
            0 => return stream.close().await,
            count => request.extend_from_slice(&buf[..count]),
        }
    }
}

/// A web server at the returned address, for as long as the runtime lives.
async fn web_server() -> SocketAddr {
    let (listener, address) = listener().await;
    spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            spawn(async move {
                // A load generator ends its connections as it likes.
                answer(stream).await.ok();
            });
        }
    });
    address
}

#[test]
fn curl_gets_pages() {
    if !has("curl", "--version") {
        return;
    }
    run(async {
        let url = format!("http://{}/", web_server().await);
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--noproxy", "*", &url, &url]);
        assert_eq!(printed_by(curl).await, "hello\nhello\n");
    });
}

#[test]
fn wrk_finds_no_error() {
    if !has("wrk", "--version") {
        return;
    }
    run(async {
        let url = format!("http://{}/", web_server().await);
        let mut wrk = Command::new("wrk");
        wrk.args(["-t1", "-c64", "-d1s", &url]);
        let report = printed_by(wrk).await;
        assert!(report.contains("requests in"), "{report}");
        assert!(!report.contains("errors"), "{report}");
        assert!(!report.contains("Non-2xx"), "{report}");
    });
}

#[test]
fn nc_talks_both_ways() {
    if !has("nc", "-h") {
        return;
    }
    run(async {
        let (listener, address) = listener().await;
        let server = spawn(async move {
            let (mut stream, _) = listener.accept().await?;
            let mut question = Vec::new();
            stream.read_to_end(&mut question).await?;
            stream.write_all(b"you said: ").await?;
            stream.write_all(&question).await?;
            stream.close().await
        });
        let port = address.port().to_string();
        let mut nc = Command::new("nc");
        nc.args(["-N", "127.0.0.1", &port])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut nc = Beside(nc.spawn().unwrap());
        nc.0.stdin.take().unwrap().write_all(b"hello").unwrap();
        let mut stdout = nc.0.stdout.take().unwrap();
        let reply = offload(move || {
            let mut reply = String::new();
            stdout.read_to_string(&mut reply).map(|_| reply)
        });
        assert_eq!(reply.await.unwrap().unwrap(), "you said: hello");
        server.await.unwrap().unwrap();
    });
}

/// Sends commands of one line each and checks the lines that come back.
async fn command(redis: &mut TcpStream, commands: &str, replies: &str) -> io::Result<()> {
    redis.write_all(commands.as_bytes()).await?;
    let mut reply = vec![0; replies.len()];
    redis.read_exact(&mut reply).await?;
    assert_eq!(String::from_utf8_lossy(&reply), replies);
    Ok(())
}

#[test]
fn redis_answers() {
    if !has("redis-server", "--version") {
        return;
    }
    // Redis takes no port 0: this one was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    drop(port);
    let mut server = Command::new("redis-server");
    server
        .args(["--port", &address.port().to_string(), "--bind", "127.0.0.1"])
        .args([
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            env!("CARGO_TARGET_TMPDIR"),
        ])
        .stdout(Stdio::null());
    let _server = Beside(server.spawn().unwrap());
    run(async {
        let mut redis = timeout(Duration::from_secs(10), connected(address))
            .await
            .unwrap();
        command(&mut redis, "PING\r\n", "+PONG\r\n").await.unwrap();
        let pipelined = "SET key value\r\nGET key\r\n".repeat(1000);
        let replies = "+OK\r\n$5\r\nvalue\r\n".repeat(1000);
        command(&mut redis, &pipelined, &replies).await.unwrap();
        command(&mut redis, "QUIT\r\n", "+OK\r\n").await.unwrap();
        assert_eq!(redis.read(&mut [0]).await.unwrap(), 0);
    });
}

/// A connection to a server that is starting.
async fn connected(address: SocketAddr) -> TcpStream {
    loop {
        match TcpStream::connect(address).await {
            Ok(stream) => return stream,
            Err(_) => sleep(Duration::from_millis(5)).await.unwrap(),
        }
    }
}

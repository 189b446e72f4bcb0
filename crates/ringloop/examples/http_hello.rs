//! Enough of HTTP/1.1 to greet: `cargo run --release --example http_hello`, then
//! `curl http://127.0.0.1:7003/` or `wrk -c 64 http://127.0.0.1:7003/`. It takes another address:
//! `... http_hello -- 0.0.0.0:8080`. Ctrl-c stops it.
//!
//! Connections are kept alive, and requests may be sent before the last answer is there. The head of
//! a request has at most 8 KiB, its body at most 64 KiB, of which nothing is made; what is no request
//! gets a 400 and the end of the connection.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]
#![expect(clippy::print_stderr, reason = "and says what is wrong")]

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use ringloop::net::{self, TcpListener, TcpStream};
use ringloop::signal::CtrlC;
use ringloop::timeout;

const HEAD_MAX: usize = 8 * 1024;
const BODY_MAX: usize = 64 * 1024;
/// How long a connection may be silent, and how long it may not read.
const PATIENCE: Duration = Duration::from_secs(30);
const GREETING: &str = "Hello, world!\n";

#[ringloop::main]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:7003".into());
    let Err(error) = run(&address).await else {
        return ExitCode::SUCCESS;
    };
    eprintln!("http_hello: cannot serve on `{address}`: {error}");
    ExitCode::FAILURE
}

async fn run(address: &str) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    let mut ctrl_c = CtrlC::new()?;
    println!(
        "greeting on http://{}; ctrl-c stops it",
        listener.local_addr()?
    );
    let handler = async |stream, _peer| talk(stream).await;
    let server = net::serve(listener, handler).limit(10_000).spawn();
    ctrl_c.wait().await?;
    server.stop_accepting();
    server.close_clients();
    server.wait_closed().await?;
    println!("{} connections", server.stats().accepted);
    Ok(())
}

async fn talk(mut stream: TcpStream) -> io::Result<()> {
    let mut received = Received::new();
    let mut answers = Vec::new();
    loop {
        let end = received.answer_all(&mut answers);
        // The end of the handler drops a stream, which is closed when it has sent what it holds.
        let Ok(written) = timeout(PATIENCE, stream.write_all(&answers)).await else {
            return Ok(());
        };
        written?;
        answers.clear();
        if end {
            return hang_up(stream).await;
        }
        let Ok(read) = timeout(PATIENCE, stream.read(received.room())).await else {
            return Ok(());
        };
        match read? {
            0 => return Ok(()),
            count => received.filled += count,
        }
    }
}

/// Ends a connection whose peer may be sending. If it was closed with bytes unread, the kernel would
/// send a reset, which destroys the answer that is on its way.
async fn hang_up(mut stream: TcpStream) -> io::Result<()> {
    let mut rest = [0; 4096];
    let drain = async {
        stream.shutdown().await?;
        for _ in 0..256 {
            if stream.read(&mut rest).await? == 0 {
                break;
            }
        }
        Ok(())
    };
    timeout(Duration::from_secs(1), drain)
        .await
        .unwrap_or(Ok(()))
}

/// What has been received and not been answered.
struct Received {
    bytes: Box<[u8; HEAD_MAX]>,
    filled: usize,
    /// How much is still to come of a body that nobody reads.
    body: usize,
}

impl Received {
    fn new() -> Self {
        Self {
            bytes: Box::new([0; HEAD_MAX]),
            filled: 0,
            body: 0,
        }
    }

    /// Where more can be received.
    fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.filled..]
    }

    /// Answers all requests that are complete. Returns whether the connection ends.
    fn answer_all(&mut self, answers: &mut Vec<u8>) -> bool {
        let mut begin = 0;
        let end = loop {
            let skipped = self.body.min(self.filled - begin);
            begin += skipped;
            self.body -= skipped;
            match Request::parse(&self.bytes[begin..self.filled]) {
                Ok(Some(request)) => {
                    begin += request.head_len;
                    self.body = request.body_len;
                    greet(answers, &request);
                    if !request.keeps_alive {
                        break true;
                    }
                }
                Ok(None) if self.filled - begin == HEAD_MAX => {
                    refuse(answers, "431 Request Header Fields Too Large");
                    break true;
                }
                Ok(None) => break false,
                Err(Refusal(status)) => {
                    refuse(answers, status);
                    break true;
                }
            }
        };
        self.bytes.copy_within(begin..self.filled, 0);
        self.filled -= begin;
        end
    }
}

fn greet(answers: &mut Vec<u8>, request: &Request) {
    let connection = if request.keeps_alive {
        ""
    } else {
        "connection: close\r\n"
    };
    let body = if request.is_head { "" } else { GREETING };
    let len = GREETING.len();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain";
    let written = write!(
        answers,
        "{head}\r\ncontent-length: {len}\r\n{connection}\r\n{body}"
    );
    written.expect("a vector takes everything");
}

fn refuse(answers: &mut Vec<u8>, status: &str) {
    let rest = "content-length: 0\r\nconnection: close\r\n\r\n";
    let written = write!(answers, "HTTP/1.1 {status}\r\n{rest}");
    written.expect("a vector takes everything");
}

/// What matters of the head of a request.
struct Request {
    head_len: usize,
    body_len: usize,
    is_head: bool,
    keeps_alive: bool,
}

/// The status that something that is no request is answered with.
struct Refusal(&'static str);

const MALFORMED: Refusal = Refusal("400 Bad Request");

impl Request {
    /// Reads the head of a request, if it is complete.
    fn parse(bytes: &[u8]) -> Result<Option<Self>, Refusal> {
        // An empty line before it is let through, as the standard advises.
        let leading = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
        let bytes = &bytes[leading..];
        let is_bare = |(at, &byte): (usize, &u8)| byte == b'\n' && !bytes[..at].ends_with(b"\r");
        if bytes.iter().enumerate().any(is_bare) {
            return Err(MALFORMED);
        }
        let Some(len) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let head = std::str::from_utf8(&bytes[..len]).map_err(|_| MALFORMED)?;
        let mut lines = head.split("\r\n");
        let mut request = Self::parse_line(lines.next().unwrap_or_default())?;
        let is_old = !request.keeps_alive;
        request.head_len = leading + len + 4;
        let (mut has_host, mut has_body) = (false, false);
        for line in lines {
            let (name, value) = line.split_once(':').ok_or(MALFORMED)?;
            if name.is_empty() || name.contains([' ', '\t']) {
                return Err(MALFORMED);
            }
            let value = value.trim();
            match &*name.to_ascii_lowercase() {
                "host" => has_host = true,
                "connection" if value.eq_ignore_ascii_case("close") => request.keeps_alive = false,
                "transfer-encoding" => return Err(Refusal("501 Not Implemented")),
                "content-length" if std::mem::replace(&mut has_body, true) => {
                    return Err(MALFORMED);
                }
                "content-length" => request.body_len = Self::body_len(value)?,
                _ => {}
            }
        }
        if has_host || is_old {
            Ok(Some(request))
        } else {
            Err(MALFORMED)
        }
    }

    /// Reads the first line: method, target, version.
    fn parse_line(line: &str) -> Result<Self, Refusal> {
        let mut words = line.split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(MALFORMED);
        };
        let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_method || target.is_empty() {
            return Err(MALFORMED);
        }
        let keeps_alive = match version {
            "HTTP/1.1" => true,
            "HTTP/1.0" => false,
            _ if version.starts_with("HTTP/") => {
                return Err(Refusal("505 HTTP Version Not Supported"));
            }
            _ => return Err(MALFORMED),
        };
        Ok(Self {
            head_len: 0,
            body_len: 0,
            is_head: method == "HEAD",
            keeps_alive,
        })
    }

    fn body_len(value: &str) -> Result<usize, Refusal> {
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(MALFORMED);
        }
        let len = value.parse().ok().filter(|&len| len <= BODY_MAX);
        len.ok_or(Refusal("413 Content Too Large"))
    }
}

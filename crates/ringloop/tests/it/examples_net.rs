//! The examples that serve do so, well and badly behaved clients alike.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::examples::{check_prints, check_refuses, example};
use crate::kernel;

/// An example that serves.
struct Server {
    child: Child,
    printed: BufReader<ChildStdout>,
    address: String,
}

impl Server {
    /// Starts it, and waits until it says `greeting` and where it listens.
    #[track_caller]
    fn start(name: &str, arguments: &[&str], greeting: &str) -> Self {
        let mut command = example(name);
        command.args(arguments);
        Self::start_command(command, greeting)
    }

    #[track_caller]
    fn start_command(mut command: Command, greeting: &str) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut printed = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        printed.read_line(&mut line).unwrap();
        let rest = line
            .strip_prefix(greeting)
            .unwrap_or_else(|| panic!("{line:?}"));
        let address = rest.split([';', '\n', ',']).next().unwrap().to_owned();
        Self {
            child,
            printed,
            address,
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        // The bound is only there to fail.
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
    }

    /// Stops it with ctrl-c, and returns what else it has printed.
    #[track_caller]
    fn stop(self) -> String {
        kernel::interrupt(self.child.id());
        self.end()
    }

    /// Waits for its end, and returns what else it has printed.
    #[track_caller]
    fn end(mut self) -> String {
        let (mut rest, mut errors) = (String::new(), String::new());
        self.printed.read_to_string(&mut rest).unwrap();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut errors).unwrap();
        assert!(self.child.wait().unwrap().success(), "{errors}");
        assert_eq!(errors, "");
        rest
    }
}

/// It says what is wrong with an address.
#[track_caller]
fn check_refuses_addresses(name: &str) {
    check_refuses(name, "nonsense", "invalid socket address");
    check_refuses(name, "127.0.0.1:99999", "invalid port value");
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    check_refuses(name, &taken, "Address already in use");
}

/// What a client sends, and everything that it gets until the end.
#[track_caller]
fn ask(server: &Server, bytes: &[u8]) -> String {
    let mut stream = server.connect();
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

mod chat {
    use super::*;

    struct Client {
        stream: TcpStream,
        lines: BufReader<TcpStream>,
    }

    impl Client {
        fn new(server: &Server, name: &str) -> Self {
            let stream = server.connect();
            let lines = BufReader::new(stream.try_clone().unwrap());
            let mut client = Self { stream, lines };
            client.expect("* what is your name?");
            client.say(name);
            client
        }

        fn say(&mut self, line: &str) {
            self.stream
                .write_all(format!("{line}\n").as_bytes())
                .unwrap();
        }

        fn line(&mut self) -> String {
            let mut line = String::new();
            self.lines.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        }

        #[track_caller]
        fn expect(&mut self, expected: &str) {
            assert_eq!(self.line(), expected);
        }
    }

    #[test]
    fn people_talk_in_rooms() {
        let server = Server::start("chat", &["127.0.0.1:0"], "chatting on ");
        let mut ada = Client::new(&server, "ada");
        ada.expect("* ada is in lobby");
        let mut bob = Client::new(&server, "bob");
        for client in [&mut ada, &mut bob] {
            client.expect("* bob is in lobby");
        }
        let mut fake = Client::new(&server, "ada");
        fake.expect("* that is no name, or taken");
        fake.expect("");
        ada.say("hello");
        for client in [&mut ada, &mut bob] {
            client.expect("ada: hello");
        }
        bob.say("/join python");
        ada.expect("* bob has left lobby");
        bob.expect("* bob is in python");
        ada.say("is anybody here?");
        ada.expect("ada: is anybody here?");
        bob.say("/who");
        bob.expect("* in python: bob");
        ada.say("/dance");
        ada.expect("* there are /join room, /who and /quit");
        ada.say("/join python");
        bob.expect("* ada is in python");
        // One leaves well, one with a reset, one stays until the server stops.
        bob.say("/quit");
        bob.expect("");
        ada.expect("* ada is in python");
        ada.expect("* bob has left python");
        let eve = Client::new(&server, "eve");
        crate::rig::reset(eve.stream);
        drop(eve.lines);
        kernel::interrupt(server.child.id());
        ada.expect("* the server stops");
        ada.expect("");
        assert_eq!(server.end(), "4 people were here\n");
    }

    #[test]
    fn a_slow_reader_misses_lines_and_hurts_nobody() {
        let server = Server::start("chat", &["127.0.0.1:0"], "chatting on ");
        let mut slow = Client::new(&server, "slow");
        slow.expect("* slow is in lobby");
        let mut quick = Client::new(&server, "quick");
        quick.expect("* quick is in lobby");
        // More than fits into the queue and the buffers of both kernels.
        let text = "x".repeat(500);
        let said = format!("quick: {text}");
        let count = 40_000;
        for _ in 0..count / 20 {
            quick
                .stream
                .write_all(format!("{text}\n").repeat(20).as_bytes())
                .unwrap();
            for _ in 0..20 {
                quick.expect(&said);
            }
        }
        slow.expect("* quick is in lobby");
        let (mut shown, mut missed) = (0, 0);
        while shown + missed < count {
            let line = slow.line();
            match line.strip_prefix("* you have missed ") {
                Some(rest) => {
                    let number = rest.split(' ').next().unwrap();
                    missed += number.parse::<usize>().unwrap();
                }
                None => {
                    assert_eq!(line, said);
                    shown += 1;
                }
            }
        }
        assert!(shown > 64 && missed > 0, "{shown} and {missed}");
        server.stop();
    }

    #[test]
    fn a_line_without_end_ends_the_connection() {
        let server = Server::start("chat", &["127.0.0.1:0"], "chatting on ");
        let mut client = Client::new(&server, "ada");
        client.expect("* ada is in lobby");
        let mut other = Client::new(&server, "bob");
        other.expect("* bob is in lobby");
        client.stream.write_all(&[b'x'; 600]).unwrap();
        other.expect("* ada has left lobby");
        server.stop();
        check_refuses_addresses("chat");
    }
}

#[test]
fn serve_until_first_client_leaves() {
    let name = "serve_until_first_client_leaves";
    let mut server = Server::start(name, &["127.0.0.1:0"], "Serving on ");
    let (mut first, mut second) = (server.connect(), server.connect());
    for stream in [&mut first, &mut second] {
        stream.write_all(b"Hello World!").unwrap();
        let mut reply = [0; 12];
        stream.read_exact(&mut reply).unwrap();
        assert_eq!(&reply, b"Hello World!");
    }
    let peers = [&first, &second].map(|stream| stream.local_addr().unwrap());
    drop(first);
    assert_eq!(second.read(&mut [0]).unwrap(), 0, "it is asked to go");
    let mut rest = String::new();
    server.printed.read_to_string(&mut rest).unwrap();
    let lines: Vec<_> = rest.lines().collect();
    for peer in peers {
        assert!(
            lines.contains(&&*format!("Connection from {peer}")),
            "{rest}"
        );
    }
    let received = lines
        .iter()
        .filter(|line| **line == "Data received: \"Hello World!\"");
    assert_eq!(received.count(), 2);
    assert_eq!(
        lines[4..],
        [
            "The first client has left",
            "2 connections, 1 of them closed here"
        ]
    );
    server.end();
    check_refuses_addresses(name);
}

mod http_hello {
    use super::*;

    const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 14\r\n";

    fn start() -> Server {
        Server::start("http_hello", &["127.0.0.1:0"], "greeting on http://")
    }

    #[test]
    fn greets_many_times_on_one_connection() {
        let server = start();
        let greeting = format!("{OK}\r\nHello, world!\n");
        let mut stream = server.connect();
        let get = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
        for pieces in [1, 3, get.len()] {
            for piece in get.as_bytes().chunks(get.len().div_ceil(pieces)) {
                stream.write_all(piece).unwrap();
            }
            let mut answer = vec![0; greeting.len()];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(String::from_utf8(answer).unwrap(), greeting);
        }
        // Many at once, of several kinds; the last one ends the connection.
        let post = "POST /form HTTP/1.1\r\nhost: x\r\ncontent-length: 9000\r\n\r\n";
        let body = "\r\n".repeat(4500);
        let head = "\r\nHEAD / HTTP/1.1\r\nhost: x\r\n\r\n";
        let last = "GET / HTTP/1.1\r\nhost: x\r\nConnection: close\r\n\r\n";
        let requests = get.repeat(1000) + post + &body + head + last + get;
        let answers = ask(&server, requests.as_bytes());
        let closing = format!("{OK}connection: close\r\n\r\nHello, world!\n");
        assert_eq!(answers, greeting.repeat(1001) + OK + "\r\n" + &closing);
        assert_eq!(ask(&server, b"GET / HTTP/1.0\r\n\r\n"), closing);
        drop(stream);
        assert_eq!(server.stop(), "3 connections\n");
        check_refuses_addresses("http_hello");
    }

    #[test]
    fn refuses_what_is_no_request() {
        let server = start();
        let check = |bytes: &[u8], status: &str| {
            let answer = ask(&server, bytes);
            let expected =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            assert_eq!(answer, expected, "{}", bytes.escape_ascii());
        };
        let malformed: &[&[u8]] = &[
            b"nonsense\r\n\r\n",
            b"GET / HTTP/1.1\n\n",
            b"GET /\r\n\r\n",
            b"GET  / HTTP/1.1\r\nhost: x\r\n\r\n",
            b"get / HTTP/1.1\r\nhost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost x\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost : x\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: \xff\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
            b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        ];
        for bytes in malformed {
            check(bytes, "400 Bad Request");
        }
        check(b"GET / HTTP/3.0\r\n\r\n", "505 HTTP Version Not Supported");
        let long = [b"GET / HTTP/1.1\r\nx: ".as_slice(), &[b'y'; 9000]].concat();
        check(&long, "431 Request Header Fields Too Large");
        let head = "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n";
        check(head.as_bytes(), "413 Content Too Large");
        let chunked = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
        check(chunked, "501 Not Implemented");
        assert_eq!(ask(&server, b"GET / HTT"), "", "half a request");
        server.stop();
    }

    #[test]
    fn curl_is_greeted() {
        let Ok(version) = Command::new("curl").arg("--version").output() else {
            return;
        };
        assert!(version.status.success());
        let server = start();
        let url = format!("http://{}/", server.address);
        // Twice on one connection.
        let output = Command::new("curl")
            .args(["-sS", "--noproxy", "*", &url, &url])
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            "Hello, world!\n".repeat(2)
        );
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        assert_eq!(server.stop(), "1 connections\n");
    }
}

#[test]
fn udp_echo() {
    let server = Server::start("udp_echo", &["127.0.0.1:0"], "echoing on ");
    let clients = [0; 3].map(|_| UdpSocket::bind("127.0.0.1:0").unwrap());
    for client in &clients {
        client.connect(&server.address).unwrap();
        // The bound is only there to fail.
        client
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
    }
    for len in [5, 0, 60_000] {
        for (at, client) in clients.iter().enumerate() {
            client.send(&crate::rig::numbered(at, len)).unwrap();
        }
        for (at, client) in clients.iter().enumerate() {
            let mut reply = vec![0; 65_535];
            let count = client.recv(&mut reply).unwrap();
            assert!(reply[..count] == crate::rig::numbered(at, len));
        }
    }
    assert_eq!(server.stop(), "9 datagrams, 180015 bytes echoed\n");
    check_refuses("udp_echo", "nonsense", "invalid socket address");
    let other = UdpSocket::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    check_refuses("udp_echo", &taken, "Address already in use");
}

mod proxy {
    use super::*;

    /// The proxy before a server, and what comes out there.
    fn start() -> (Server, TcpListener) {
        let behind = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = behind.local_addr().unwrap().to_string();
        let greeting = format!("passing on to {address} from ");
        let server = Server::start("proxy", &["127.0.0.1:0", &address], &greeting);
        (server, behind)
    }

    #[test]
    fn passes_on_bytes_and_ends_both_ways() {
        let (server, behind) = start();
        let mut client = server.connect();
        let (mut far, _) = behind.accept().unwrap();
        client.write_all(b"question").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut question = String::new();
        far.read_to_string(&mut question).unwrap();
        assert_eq!(question, "question");
        // The other way is open still, and takes more than buffers hold.
        let answer = crate::rig::numbered(0, 3_000_000);
        let sent = answer.clone();
        let sender = std::thread::spawn(move || far.write_all(&sent).unwrap());
        let mut got = Vec::new();
        client.read_to_end(&mut got).unwrap();
        sender.join().unwrap();
        assert!(got == answer);
        // And the other side first.
        let mut client = server.connect();
        let (mut far, _) = behind.accept().unwrap();
        far.shutdown(Shutdown::Write).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        client.write_all(b"well").unwrap();
        drop(client);
        let mut rest = String::new();
        far.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "well");
        drop(far);
        let open = server.connect();
        let (mut far, _) = behind.accept().unwrap();
        kernel::interrupt(server.child.id());
        assert_eq!(far.read(&mut [0]).unwrap(), 0);
        drop(open);
        assert_eq!(
            server.end(),
            "3 connections, 12 bytes there, 3000000 bytes back\n"
        );
    }

    #[test]
    fn a_reset_and_a_server_that_is_gone_end_the_connection() {
        let (server, behind) = start();
        let mut client = server.connect();
        let (far, _) = behind.accept().unwrap();
        crate::rig::reset(far);
        assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)));
        drop(behind);
        let mut client = server.connect();
        assert!(matches!(client.read(&mut [0]), Ok(0) | Err(_)));
        kernel::interrupt(server.child.id());
        let output = server.child.wait_with_output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        let lines: Vec<_> = errors.lines().collect();
        assert!(
            lines[0].contains("connection 1: Connection reset by peer"),
            "{errors}"
        );
        assert!(
            lines[1].contains("connection 2: Connection refused"),
            "{errors}"
        );
        assert_eq!(lines.len(), 2, "{errors}");
        check_refuses_addresses("proxy");
    }
}

#[test]
fn unix_pass_fd() {
    let check = |arguments: &[&str], passed: &str, start: &str| {
        let lines = [
            format!("a process, which has ended, has passed {passed}"),
            format!("it begins with \"{start}\""),
        ];
        let lines = lines.each_ref().map(String::as_str);
        check_prints(example("unix_pass_fd").args(arguments), &lines);
    };
    let version = std::fs::read("/proc/version").unwrap();
    let start = version[..64].escape_ascii().to_string();
    check(&[], "/proc/version", &start);
    check(&["/dev/null"], "/dev/null", "");
    check(&["/dev/zero"], "/dev/zero", &r"\x00".repeat(64));
    let check = |argument: &str, said: &str| check_refuses("unix_pass_fd", argument, said);
    check("/dev/null/nothing", "Not a directory");
    check("/no such file", "No such file or directory");
    check("", "No such file or directory");
    check("/", "Is a directory");
    check(&"x".repeat(5000), "File name too long");
    check("--as-the-one-who-opens", "");
}

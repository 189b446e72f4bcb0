//! The examples do what they say, and are told apart from a wrong argument.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};

use crate::kernel;

/// An example, as cargo builds it beside the tests.
pub(crate) fn example(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(
        program.exists(),
        "build it first: cargo build --example {name}"
    );
    Command::new(program)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// The example runs well and prints the lines.
#[track_caller]
pub(crate) fn check_prints(command: &mut Command, lines: &[&str]) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let (printed, errors) = (text(stdout), text(stderr));
    assert!(status.success(), "{errors}");
    assert_eq!(errors, "");
    assert_eq!(printed.lines().collect::<Vec<_>>(), lines);
}

/// The example says what is wrong with the argument, and fails without a panic.
#[track_caller]
pub(crate) fn check_refuses(name: &str, argument: &str, said: &str) {
    let output = example(name).arg(argument).output().unwrap();
    let errors = text(output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.starts_with(&format!("{name}: ")), "{errors}");
    assert!(
        errors.contains(argument) && errors.contains(said),
        "{errors}"
    );
    assert!(!errors.contains("panicked"), "{errors}");
}

#[test]
fn hello() {
    let lines = ["hello ...", "(another task, meanwhile)", "... world!"];
    check_prints(example("hello").arg("0.01"), &lines);
    check_refuses("hello", "soon", "no number of seconds");
    check_refuses("hello", "-1", "no number of seconds");
    check_refuses("hello", "inf", "no number of seconds");
}

#[test]
fn cancel() {
    let cleanup = ["shop: counting the money", "shop: closed"];
    let mut lines = vec!["shop: sorry, customer 1: cancelled: the deadline has passed"];
    lines.extend(cleanup);
    lines.push("main: the deadline has passed, and the shop is closed");
    check_prints(example("cancel").arg("0"), &lines);
    let served: Vec<_> = (1..=10)
        .map(|n| format!("shop: served customer {n}"))
        .collect();
    let mut lines: Vec<_> = served.iter().map(String::as_str).collect();
    lines.extend(cleanup);
    lines.push("main: the day is over");
    check_prints(example("cancel").arg("60000"), &lines);
    check_refuses("cancel", "-5", "no whole number");
}

#[test]
fn offload() {
    let output = example("offload").output().unwrap();
    assert!(output.status.success());
    let printed = text(output.stdout);
    let hashes: Vec<_> = printed
        .lines()
        .filter(|line| line.ends_with(".rs"))
        .collect();
    assert_eq!(hashes.len(), 4, "{printed}");
    for line in hashes {
        let (hash, _path) = line.split_once("  ").unwrap();
        assert_ne!(u64::from_str_radix(hash, 16).unwrap(), 0);
    }
    let ticks = printed.lines().last().unwrap();
    let count = ticks
        .split_whitespace()
        .find_map(|word| word.parse::<u32>().ok());
    assert!(count.unwrap() > 0, "{ticks}");
    check_refuses("offload", "no/such/file", "No such file or directory");
    check_refuses("offload", "/", "Is a directory");
}

#[test]
fn from_thread() {
    let lines = [
        "primes: 25 %",
        "primes: 50 %",
        "primes: 75 %",
        "primes: 100 %",
        "168 primes below 1000, 100 %",
        "primes: stopped, the deadline has passed",
        "there are more",
    ];
    check_prints(example("from_thread").arg("1000"), &lines);
    check_refuses("from_thread", "many", "no whole number");
    check_refuses("from_thread", "3", "no whole number");
}

#[test]
fn million() {
    let output = example("million").arg("1000").output().unwrap();
    let printed = text(output.stdout);
    assert!(output.status.success(), "{printed}");
    assert!(printed.starts_with("1000 tasks asleep after "), "{printed}");
    assert!(
        printed.contains(" bytes each\n0 still asleep, "),
        "{printed}"
    );
    check_refuses("million", "0", "no number of tasks");
    check_refuses("million", "many", "no number of tasks");
}

#[test]
fn echo_says_what_is_wrong_with_an_address() {
    check_refuses("echo", "nonsense", "invalid socket address");
    check_refuses("echo", "127.0.0.1:99999", "invalid port value");
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().to_string();
    check_refuses("echo", &taken, "Address already in use");
}

#[test]
fn echo_serves_until_ctrl_c() {
    let mut command = example("echo");
    command
        .arg("127.0.0.1:0")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut server = command.spawn().unwrap();
    let mut printed = BufReader::new(server.stdout.take().unwrap());
    let mut line = String::new();
    printed.read_line(&mut line).unwrap();
    let address = line
        .strip_prefix("echoing on ")
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    let mut clients: Vec<_> = (0..10)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    for client in &mut clients {
        client.write_all(b"are you there?").unwrap();
        let mut reply = [0; 14];
        client.read_exact(&mut reply).unwrap();
        assert_eq!(&reply, b"are you there?");
    }
    drop(clients.pop());
    kernel::interrupt(server.id());
    // The connections are open, and end.
    for client in &mut clients {
        assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
    }
    let (mut rest, mut errors) = (String::new(), String::new());
    printed.read_to_string(&mut rest).unwrap();
    server
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    assert!(server.wait().unwrap().success());
    assert_eq!(rest, "10 connections, 140 bytes echoed\n");
    assert_eq!(errors, "");
    assert!(
        TcpStream::connect(address).is_err(),
        "nobody listens any more"
    );
}

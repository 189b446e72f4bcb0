//! A kernel that is short of something: calls that fail at their n-th time, and limits of a user
//! without privileges.
//!
//! strace(1) makes the calls fail, setpriv(1) and prlimit(1) set the limits. Where they are missing
//! or may not work, the tests say so and pass.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::rc::Rc;
use std::time::Duration;
use std::{cell::Cell, env, fs, io};

use ringloop::net::{TcpListener, TcpStream};
use ringloop::{Runtime, offload, sleep, spawn, timeout};

use crate::examples::example;
use crate::rig::{CHILD, is_child, listener, numbered, run};

/// The workload of the child processes: everything that it sends is checked where it arrives.
#[test]
fn workload() {
    run(async {
        let work = timeout(Duration::from_secs(60), echo_and_check());
        work.await.expect("it hangs").unwrap();
    });
}

#[test]
fn an_interrupted_enter_is_repeated() {
    check_enter("injection::an_interrupted_enter_is_repeated", "EINTR");
}

#[test]
fn an_enter_that_should_be_tried_again_is() {
    check_enter(
        "injection::an_enter_that_should_be_tried_again_is",
        "EAGAIN",
    );
}

#[test]
fn an_enter_that_wants_completions_reaped_first_gets_it() {
    check_enter(
        "injection::an_enter_that_wants_completions_reaped_first_gets_it",
        "EBUSY",
    );
}

#[test]
fn an_enter_without_memory_is_repeated() {
    check_enter("injection::an_enter_without_memory_is_repeated", "ENOMEM");
}

#[test]
fn a_ring_without_memory_at_first_is_made_all_the_same() {
    let name = "a_ring_without_memory_at_first_is_made_all_the_same";
    let Some(mut strace) = strace(name, "io_uring_setup", "ENOMEM", "1..3") else {
        return;
    };
    let output = strace
        .arg(example("hello").get_program())
        .arg("0.01")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(injected(name), 3);
}

#[test]
fn a_user_without_locked_memory_is_told_about_it() {
    let Some(mut user) = unprivileged("a_user_without_locked_memory_is_told_about_it", 0) else {
        return;
    };
    let output = user
        .arg(example("hello").get_program())
        .arg("0.01")
        .output()
        .unwrap();
    if output.status.success() {
        skipped("this kernel does not count rings as locked memory");
        return;
    }
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("locked-memory limit of 0 bytes"),
        "{errors}"
    );
    assert!(errors.contains("ulimit -l"), "{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
}

/// The kernel gives the memory of a dropped ring back late, so that rings made one after the other
/// add up.
#[test]
fn runtimes_may_come_and_go_within_a_usual_limit() {
    const NAME: &str = "injection::runtimes_may_come_and_go_within_a_usual_limit";
    if is_child() {
        for _ in 0..400 {
            let mut runtime = Runtime::new().unwrap();
            runtime
                .block_on(async { sleep(Duration::ZERO).await })
                .unwrap();
        }
        return;
    }
    let Some(mut user) = unprivileged(NAME, 8 << 20) else {
        return;
    };
    check_child(&again(&mut user, NAME));
}

/// Runs the workload with calls that fail, one at a time and in patterns.
#[track_caller]
fn check_enter(name: &str, errno: &str) {
    if is_child() {
        return workload();
    }
    let single = if is_long() {
        (1..=50).collect()
    } else {
        vec![1, 2, 3, 5, 8, 13, 21]
    };
    let patterns = ["1+2", "2+2", "3+5", "2..12"].map(str::to_owned);
    for when in single.iter().map(ToString::to_string).chain(patterns) {
        let Some(mut strace) = strace(name, "io_uring_enter", errno, &when) else {
            return;
        };
        check_child(&again(&mut strace, name));
        assert!(injected(name) > 0, "{when}: nothing was injected");
    }
}

/// This test binary, with `program` in front and only the test `name`.
fn again(program: &mut Command, name: &str) -> Output {
    program
        .arg(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .unwrap()
}

#[track_caller]
fn check_child(output: &Output) {
    let (printed, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{printed}{errors}");
    assert!(printed.contains("1 passed"), "{printed}{errors}");
}

/// strace(1), which makes `call` fail with `errno` `when` its turn comes, and notes what it does.
pub(crate) fn strace(name: &str, call: &str, errno: &str, when: &str) -> Option<Command> {
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-qq", "-e", &format!("trace={call}")])
        .args([
            "-e",
            &format!("inject={call}:error={errno}:when={when}"),
            "-o",
        ])
        .arg(notes(name));
    let mut probe = Command::new("strace");
    probe.args([
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        &format!("inject={call}:error={errno}:when={when}"),
    ]);
    works(probe).then_some(strace)
}

/// A program that runs another as nobody, with so much locked memory.
fn unprivileged(name: &str, memlock_bytes: u32) -> Option<Command> {
    let nobody = || {
        let mut user = Command::new("setpriv");
        user.args(["--reuid=65534", "--clear-groups", "prlimit"]);
        user.arg(format!("--memlock={memlock_bytes}"));
        user
    };
    // Nobody may not even be able to read this binary.
    let mut probe = nobody();
    probe
        .arg(env::current_exe().unwrap())
        .args(["--list", "--exact", name]);
    works_alone(probe).then(nobody)
}

fn works(mut probe: Command) -> bool {
    probe.arg("true");
    works_alone(probe)
}

fn works_alone(mut probe: Command) -> bool {
    let program = probe.get_program().to_owned();
    let works = probe.output().is_ok_and(|output| output.status.success());
    if !works {
        skipped(&format!(
            "{} is missing, or not allowed here",
            program.display()
        ));
    }
    works
}

/// Says so past the harness, which keeps what a passing test prints to itself.
fn skipped(why: &str) {
    let line = format!("skipped: {why}\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
}

fn notes(name: &str) -> PathBuf {
    let name = name.rsplit("::").next().unwrap_or(name);
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.strace"))
}

/// How many calls strace(1) has made fail.
pub(crate) fn injected(name: &str) -> usize {
    let notes = notes(name);
    let text = fs::read_to_string(&notes).unwrap();
    fs::remove_file(notes).unwrap();
    text.matches("(INJECTED)").count()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn is_long() -> bool {
    env::var_os("RINGLOOP_LONG").is_some_and(|value| value == "1")
}

/// Clients and their server in one runtime, timers, and a file read on another thread.
async fn echo_and_check() -> io::Result<()> {
    let (listener, address) = listener().await;
    let echoed = Rc::new(Cell::new(0));
    let server = spawn(serve(listener, Rc::clone(&echoed)));
    let file = offload(|| fs::read("/proc/self/comm"));
    let clients: Vec<_> = (0..CLIENTS).map(|id| spawn(visit(address, id))).collect();
    let mut sent = 0;
    for client in clients {
        sent += client.await.unwrap()?;
    }
    assert!(!file.await.unwrap()?.is_empty());
    server.await.unwrap()?;
    assert_eq!(echoed.get(), sent);
    Ok(())
}

async fn serve(listener: TcpListener, echoed: Rc<Cell<usize>>) -> io::Result<()> {
    let mut connections = Vec::new();
    for _ in 0..CLIENTS {
        let (mut stream, _) = listener.accept().await?;
        let echoed = Rc::clone(&echoed);
        connections.push(spawn(async move {
            let mut buf = vec![0; 4096];
            while let count @ 1.. = stream.read(&mut buf).await? {
                stream.write_all(&buf[..count]).await?;
                echoed.update(|total| total + count);
            }
            stream.close().await
        }));
    }
    for connection in connections {
        connection.await.unwrap()?;
    }
    Ok(())
}

/// Returns how many bytes it has sent.
async fn visit(address: std::net::SocketAddr, id: usize) -> io::Result<usize> {
    let mut stream = TcpStream::connect(address).await?;
    let mut total = 0;
    for round in 0..ROUNDS {
        let sent = numbered(total + id, 1 + (round * 997 + id * 211) % 20_000);
        stream.write_all(&sent).await?;
        let mut reply = vec![0; sent.len()];
        stream.read_exact(&mut reply).await?;
        assert_eq!(reply, sent);
        total += sent.len();
        sleep(Duration::from_millis(1)).await?;
    }
    stream.shutdown().await?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await?;
    assert_eq!(rest, b"");
    Ok(total)
}

const CLIENTS: usize = 32;
const ROUNDS: usize = 6;

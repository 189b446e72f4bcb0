//! Passes an open file from one process to another: `cargo run --example unix_pass_fd`.
//!
//! A child process opens the file, as one with more rights would, and sends its descriptor over a
//! unix socket; the parent, which has asked for it by name, reads it. It takes the name of another
//! file: `... unix_pass_fd -- /etc/hostname`.

#![expect(clippy::print_stdout, reason = "the example talks to a person")]
#![expect(clippy::print_stderr, reason = "and says what is wrong")]

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode};

use ringloop::net::FdStream;
use ringloop::offload;

#[ringloop::main]
async fn main() -> ExitCode {
    let name = std::env::args_os().nth(1);
    let name = name.unwrap_or("/proc/version".into());
    let done = if name == CHILD {
        open().await
    } else {
        ask(&name).await
    };
    let Err(error) = done else {
        return ExitCode::SUCCESS;
    };
    eprintln!("unix_pass_fd: cannot pass `{}`: {error}", name.display());
    ExitCode::FAILURE
}

/// The parent: asks for a file by its name, and reads what it gets.
async fn ask(name: &OsStr) -> io::Result<()> {
    let (near, far) = UnixStream::pair()?;
    // The child has its end of the socket as its standard input.
    let mut child = Command::new(std::env::current_exe()?)
        .arg(CHILD)
        .stdin(OwnedFd::from(far))
        .spawn()?;
    let mut stream = FdStream::from_std(near)?;
    stream.send(name.as_bytes(), &[]).await?;
    stream.shutdown().await?;
    let (text, mut fds) = receive(&mut stream).await?;
    let ended = offload(move || child.wait()).await??;
    let text = String::from_utf8_lossy(&text);
    let Some(fd) = fds.pop() else {
        let error = if text.is_empty() {
            format!("no answer, {ended}")
        } else {
            text.into_owned()
        };
        return Err(io::Error::other(error));
    };
    println!("a process, which has ended, has passed {text}");
    // The open file is this process's own now, wherever it is read: here by a worker thread.
    let start = offload(move || {
        let mut start = Vec::new();
        File::from(fd).take(64).read_to_end(&mut start)?;
        Ok::<_, io::Error>(start)
    })
    .await??;
    println!("it begins with \"{}\"", start.escape_ascii());
    Ok(())
}

/// The child: opens what it is asked for, and sends the open file, or what is wrong.
async fn open() -> io::Result<()> {
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    let mut stream = FdStream::from_std(UnixStream::from(socket))?;
    let (name, _) = receive(&mut stream).await?;
    let name = OsString::from_vec(name);
    let text = name.display().to_string();
    match offload(move || File::open(name)).await? {
        Ok(file) => stream.send(text.as_bytes(), &[file.as_fd()]).await,
        Err(error) => stream.send(error.to_string().as_bytes(), &[]).await,
    }
}

/// Takes everything until the other side has said that no more comes: a message may come in pieces.
async fn receive(stream: &mut FdStream) -> io::Result<(Vec<u8>, Vec<OwnedFd>)> {
    let (mut bytes, mut fds) = (Vec::new(), Vec::new());
    let mut piece = [0; 512];
    loop {
        match stream.recv(&mut piece, &mut fds).await? {
            0 => return Ok((bytes, fds)),
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

/// What the child is told, in place of the name of a file.
const CHILD: &str = "--as-the-one-who-opens";

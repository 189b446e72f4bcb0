//! Writes that nobody will read, in a process that dies of `SIGPIPE`.

#![expect(
    unsafe_code,
    reason = "std has no call that restores the default of a signal"
)]

use std::net::Shutdown;
use std::os::unix::net::UnixStream;

use ringloop_proactor::{Proactor, SendPipe, Sender};

use crate::rig::{alone, errno, proactor};

#[test]
fn no_operation_raises_a_signal_for_a_broken_pipe() {
    if !alone("sigpipe::no_operation_raises_a_signal_for_a_broken_pipe") {
        return;
    }
    // SAFETY: the default disposition is no handler, so no code of this process is involved.
    let before = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    assert_eq!(before, libc::SIG_IGN);
    let mut proactor = proactor();
    let handle = proactor.handle();
    let (reader, writer) = std::io::pipe().unwrap();
    let broken = handle.adopt(writer);
    drop(reader);
    let (full_reader, full_writer) = std::io::pipe().unwrap();
    let (reader, writer) = (handle.adopt(full_reader), handle.adopt(full_writer));
    proactor
        .block_on(handle.write(&writer, "bytes", u64::MAX))
        .unwrap()
        .unwrap();
    // The kernel's workers run these, and do not take the signal.
    let splice = handle
        .splice(&reader, u64::MAX, &broken, u64::MAX, 3, 0)
        .unwrap();
    assert_eq!(errno(proactor.block_on(splice).unwrap()), libc::EPIPE);
    let tee = handle.tee(&reader, &broken, 3, 0).unwrap();
    assert_eq!(errno(proactor.block_on(tee).unwrap()), libc::EPIPE);
    let (near, far) = UnixStream::pair().unwrap();
    far.shutdown(Shutdown::Both).unwrap();
    let socket = handle.adopt(near);
    let send = handle.send(&socket, "x");
    assert_eq!(errno(proactor.block_on(send).unwrap()), libc::EPIPE);
    streams_raise_none(&mut proactor);
    if !knows_how_to_write_quietly() {
        return;
    }
    let write = handle.write(&broken, "x", u64::MAX);
    assert_eq!(errno(proactor.block_on(write).unwrap()), libc::EPIPE);
    let write = handle.write(&socket, "x", u64::MAX);
    assert_eq!(errno(proactor.block_on(write).unwrap()), libc::EPIPE);
    let write = handle.write_with(&broken, "x", u64::MAX, 0);
    assert_eq!(errno(proactor.block_on(write).unwrap()), libc::EPIPE);
    let write = handle
        .write_vectored(&broken, ("x", "y"), u64::MAX)
        .unwrap();
    assert_eq!(errno(proactor.block_on(write).unwrap()), libc::EPIPE);
    let buffers = handle.register_buffers(1, 64).unwrap();
    let write = handle.write_fixed(&broken, buffers.check_out().unwrap(), u64::MAX);
    assert_eq!(errno(proactor.block_on(write).unwrap()), libc::EPIPE);
    let register = handle.register(&broken).unwrap();
    let direct = proactor.block_on(register).unwrap().unwrap();
    let write = handle.write(&direct, "x", u64::MAX);
    assert_eq!(errno(proactor.block_on(write).unwrap()), libc::EPIPE);
    // One that waits for room when the reader goes, and is completed later.
    let (reader, writer) = std::io::pipe().unwrap();
    let writer = handle.adopt(writer);
    let fill = handle.write(&writer, vec![0; 1 << 16], u64::MAX);
    assert_eq!(proactor.block_on(fill).unwrap().unwrap().0, 1 << 16);
    let mut write = handle.write(&writer, "x", u64::MAX);
    assert!(crate::rig::poll_once(&mut write).is_pending());
    proactor.block_on(handle.nop()).unwrap().unwrap();
    drop(reader);
    assert_eq!(errno(proactor.block_on(write).unwrap()), libc::EPIPE);
}

/// Whatever a stream sends: copied bytes, buffers as they are, a message of several, a pipe.
fn streams_raise_none(proactor: &mut Proactor) {
    for kind in 0..5 {
        let (near, far) = UnixStream::pair().unwrap();
        far.shutdown(Shutdown::Both).unwrap();
        let mut sender = Sender::new(proactor.handle().adopt(near));
        let write = async {
            match kind {
                0 => sender.write_all(b"x").await?,
                1 => sender.write_owned(vec![0; 20_000]).await?,
                2 => {
                    sender.write_all(b"x").await?;
                    sender.write_owned(vec![0; 20_000]).await?;
                }
                3 => {
                    sender.set_zero_copy_from(Some(1));
                    sender.write_owned(vec![0; 20_000]).await?;
                }
                _ => {
                    let handle = sender.fd().handle().clone();
                    let pipe = SendPipe::new(&handle)?;
                    handle.write(pipe.writer(), "piped", u64::MAX).await?;
                    std::future::poll_fn(|cx| sender.poll_write_pipe(cx, &pipe, 5)).await?;
                }
            }
            sender.flush().await
        };
        let result = proactor.block_on(write).unwrap();
        assert_eq!(errno(result), libc::EPIPE, "{kind}");
    }
}

/// Linux 6.18 and later.
fn knows_how_to_write_quietly() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut parts = release
        .split(['.', '-'])
        .map(|part| part.trim().parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (6, 18)
}

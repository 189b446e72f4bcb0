//! Pipes in send queues: what is in them goes out in order, and nobody waits for a slow peer.

use std::future::poll_fn;
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use ringloop_core::Driver;
use ringloop_proactor::{Config, Handle, Proactor, SendPipe, Sender};

const LEN: usize = 400_000;

fn numbered(start: usize, len: usize) -> Vec<u8> {
    (start..start + len)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect()
}

/// Sends all bytes through pipes, but for so many in front of each.
async fn write(sender: &mut Sender, handle: &Handle, copied: usize) -> std::io::Result<()> {
    let mut start = 0;
    while start < LEN {
        sender.write_all(&numbered(start, copied)).await?;
        start += copied;
        let pipe = SendPipe::new(handle)?;
        let bytes = numbered(start, pipe.capacity().min(LEN - start));
        let (count, _) = handle.write(pipe.writer(), bytes, u64::MAX).await?;
        poll_fn(|cx| sender.poll_write_pipe(cx, &pipe, count)).await?;
        start += count;
    }
    sender.flush().await
}

fn blocks(socket: &impl AsFd) -> bool {
    let fd = socket.as_fd().as_raw_fd();
    let path = format!("/proc/self/fdinfo/{fd}");
    let info = std::fs::read_to_string(path).unwrap();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    i32::from_str_radix(flags.unwrap().trim(), 8).unwrap() & libc::O_NONBLOCK == 0
}

/// Each would keep a thread of the kernel, of which there are two here.
#[test]
fn peers_that_read_nothing_keep_no_thread() {
    let config = Config::default().unbounded_workers(2);
    let mut proactor = Proactor::new(&config).unwrap();
    let handle = proactor.handle();
    let stalled: Vec<_> = (0..4)
        .map(|_| {
            let (near, far) = UnixStream::pair().unwrap();
            let socket = near.try_clone().unwrap();
            let mut sender = Sender::new(handle.adopt(near));
            let handle = handle.clone();
            let writing = Box::pin(async move { write(&mut sender, &handle, 0).await });
            (writing, far, socket)
        })
        .collect();
    let mut stalled = stalled;
    let turn = |proactor: &mut Proactor, stalled: &mut Vec<(_, UnixStream, UnixStream)>| {
        for (writing, ..) in stalled.iter_mut() {
            let _is_over = crate::rig::poll_once(writing).is_ready();
        }
        proactor.park(Some(Duration::from_millis(1))).unwrap();
    };
    for _ in 0..30 {
        turn(&mut proactor, &mut stalled);
    }
    let (near, mut far) = UnixStream::pair().unwrap();
    let mut sender = Sender::new(handle.adopt(near));
    let reader = std::thread::spawn(move || {
        let mut bytes = vec![0; LEN];
        far.read_exact(&mut bytes).unwrap();
        bytes
    });
    let mut good = Box::pin(write(&mut sender, &handle, 1000));
    let is_done = (0..3000).any(|_| {
        let polled = crate::rig::poll_once(&mut good);
        proactor.park(Some(Duration::from_millis(1))).unwrap();
        polled.is_ready()
    });
    assert!(is_done, "others keep all the threads");
    assert!(reader.join().unwrap() == numbered(0, LEN));
    for (writing, mut far, socket) in stalled {
        let reader = std::thread::spawn(move || {
            let mut bytes = vec![0; LEN];
            far.read_exact(&mut bytes).unwrap();
            bytes
        });
        proactor.block_on(writing).unwrap().unwrap();
        assert!(reader.join().unwrap() == numbered(0, LEN));
        assert!(blocks(&socket), "as before");
    }
}

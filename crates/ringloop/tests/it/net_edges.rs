//! Lengths at the edges, descriptors that come from elsewhere, and what buffers show.

use std::io::{ErrorKind, Write};
use std::rc::Rc;

use ringloop::future::join;
use ringloop::io::{AsyncRead, AsyncWrite};
use ringloop::net::TcpStream;
use ringloop::task::yield_now;
use ringloop::{Runtime, spawn};

use crate::rig::{listener, numbered, pair, polled_once, run};

/// Nothing to read or write is done at once, and is no end of the stream.
#[test]
fn f92_nothing_is_not_the_end() {
    run(async {
        let (mut stream, mut far) = pair();
        for is_there in [false, true] {
            for _ in 0..3 {
                assert_eq!(stream.read(&mut []).await.unwrap(), 0);
                stream.read_exact(&mut []).await.unwrap();
                assert_eq!(stream.write(&[]).await.unwrap(), 0);
                stream.write_all(&[]).await.unwrap();
                stream.flush().await.unwrap();
            }
            if !is_there {
                far.write_all(b"bytes").unwrap();
                assert_eq!(stream.read(&mut [0]).await.unwrap(), 1);
            }
        }
        let mut rest = [0; 4];
        stream.read_exact(&mut rest).await.unwrap();
        assert_eq!(&rest, b"ytes");
        drop(far);
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(stream.read(&mut []).await.unwrap(), 0);
        stream.read_exact(&mut []).await.unwrap();
    });
}

/// More than a `u32` counts, of memory that is never touched.
#[test]
fn f93_lengths_beyond_a_word() {
    const HUGE: usize = (4 << 30) + 5;
    let mut huge = Vec::<u8>::new();
    if huge.try_reserve_exact(HUGE).is_err() {
        return;
    }
    drop(huge);
    run(async {
        let (mut stream, mut far) = pair();
        // The kernel gives zeros without a page behind them.
        let bytes = vec![0; HUGE];
        let count = stream.write(&bytes).await.unwrap();
        assert!((1..1 << 20).contains(&count), "{count}");
        assert!(polled_once(stream.write_all(&bytes)).await.is_none());
        drop(bytes);
        let mut room = vec![0; HUGE];
        far.write_all(b"short").unwrap();
        assert_eq!(stream.read(&mut room).await.unwrap(), 5);
        far.write_all(b"er").unwrap();
        drop(far);
        let error = stream.read_exact(&mut room).await.unwrap_err();
        assert!([ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset].contains(&error.kind()));
        // The rest is what the read before has left there.
        assert_eq!(&room[..6], b"erort\0");
    });
}

/// A socket that blocks, as std makes it, holds up its task and nobody else.
#[test]
fn f98_a_blocking_descriptor_blocks_no_loop() {
    run(async {
        let (mut stream, mut far) = pair();
        let flags = std::fs::read_to_string(format!(
            "/proc/self/fdinfo/{}",
            std::os::fd::AsRawFd::as_raw_fd(&stream)
        ))
        .unwrap();
        assert!(!has_nonblocking(&flags), "{flags}");
        let reading = spawn(async move {
            let mut byte = [0];
            stream.read_exact(&mut byte).await.map(|()| byte)
        });
        for _ in 0..10 {
            yield_now().await.unwrap();
        }
        ringloop::sleep(std::time::Duration::from_millis(1))
            .await
            .unwrap();
        assert!(!reading.is_finished());
        far.write_all(b"x").unwrap();
        assert_eq!(&reading.await.unwrap().unwrap(), b"x");
    });
}

fn has_nonblocking(fdinfo: &str) -> bool {
    let flags = fdinfo.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = i32::from_str_radix(flags.unwrap().trim(), 8).unwrap();
    flags & libc::O_NONBLOCK != 0
}

/// Who waits for the same connections is served in order; one direction of a stream is of one task,
/// as its methods borrow it mutably.
#[test]
fn f102_tasks_that_accept_together_are_served_in_order() {
    run(async {
        let (listener, address) = listener().await;
        let listener = Rc::new(listener);
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let listener = Rc::clone(&listener);
                spawn(async move { listener.accept().await.map(|(_, peer)| peer) })
            })
            .collect();
        yield_now().await.unwrap();
        let clients: Vec<_> = tasks
            .iter()
            .map(|_| std::net::TcpStream::connect(address).unwrap())
            .collect();
        for (task, client) in tasks.into_iter().zip(&clients) {
            let peer = task.await.unwrap().unwrap();
            assert_eq!(peer, client.local_addr().unwrap());
        }
    });
}

/// A buffer that had the secret of one connection lends another one its own bytes, and no more.
#[test]
fn f117_pooled_buffers_show_no_bytes_of_others() {
    const SECRET: u8 = b'S';
    let mut runtime = Runtime::builder().receive_buffers(1, 64).build().unwrap();
    runtime.block_on(async {
        let (mut first, mut first_far) = pair();
        let (mut second, mut second_far) = pair();
        for len in 1..200 {
            first_far.write_all(&[SECRET; 64]).unwrap();
            first.read_exact(&mut [0; 64]).await.unwrap();
            second_far.write_all(&numbered(0, len % 7 + 1)).unwrap();
            let mut received = 0;
            while received < len % 7 + 1 {
                if len % 2 == 0 {
                    let chunk = second.read_chunk().await.unwrap();
                    assert_eq!(*chunk, numbered(received, chunk.len()));
                    received += chunk.len();
                } else {
                    let mut buf = [b'u'; 64];
                    let count = second.read(&mut buf).await.unwrap();
                    assert_eq!(buf[..count], numbered(received, count));
                    assert!(buf[count..].iter().all(|byte| *byte == b'u'));
                    received += count;
                }
            }
        }
    });
}

/// An answer that is being written does not wait for a question that is being read.
#[test]
fn directions_do_not_wait_for_each_other() {
    run(async {
        let (mut near, far) = pair();
        let mut far = TcpStream::from_std(far).unwrap();
        let bytes = numbered(0, 2_000_000);
        let (mut near_reads, mut near_writes) = near.split();
        let (mut far_reads, mut far_writes) = far.split();
        let mut there = vec![0; bytes.len()];
        let mut back = vec![0; bytes.len()];
        let near = join(
            AsyncWrite::write_all(&mut near_writes, &bytes),
            AsyncRead::read_exact(&mut near_reads, &mut back),
        );
        let far = join(
            AsyncWrite::write_all(&mut far_writes, &bytes),
            AsyncRead::read_exact(&mut far_reads, &mut there),
        );
        let ((first, second), (third, fourth)) = join(near, far).await;
        for result in [first, second, third, fourth] {
            result.unwrap();
        }
        assert!(there == bytes && back == bytes);
    });
}

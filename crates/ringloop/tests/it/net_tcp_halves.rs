//! The halves of a stream, in two tasks and put together again.

use std::io::{Read, Write};
use std::net::{self, Shutdown};

use ringloop::net::{OwnedReadHalf, OwnedWriteHalf, TcpStream};
use ringloop::task::yield_now;
use ringloop::{offload, spawn};

use crate::rig::{
    alone, assert_cancelled, cancelled_while_pending, numbered, open_fds, pair, polled_once, run,
    runtime, settle,
};

#[test]
fn two_tasks_have_one_half_each() {
    run(async {
        let (stream, mut far) = pair();
        let (mut read, mut write) = stream.into_split();
        let echo = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            far.read_to_end(&mut bytes).unwrap();
            far.write_all(&bytes).unwrap();
        });
        let writer = spawn(async move {
            write.write_all(&numbered(0, 100_000)).await?;
            write.shutdown().await
        });
        let reader = spawn(async move {
            let mut bytes = Vec::new();
            read.read_to_end(&mut bytes).await.map(|_| bytes)
        });
        writer.await.unwrap().unwrap();
        assert_eq!(reader.await.unwrap().unwrap(), numbered(0, 100_000));
        echo.join().unwrap();
    });
}

#[test]
fn the_drop_of_the_writing_half_is_the_end_for_the_peer_only() {
    run(async {
        let (stream, far) = pair();
        let (mut read, mut write) = stream.into_split();
        write.write_all(b"last words").await.unwrap();
        drop(write);
        let (words, mut far) = heard(far).await;
        assert_eq!(words, b"last words");
        far.write_all(b"heard").unwrap();
        far.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        read.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"heard");
    });
}

/// What the far end hears until it is told that no more will come.
async fn heard(mut far: net::TcpStream) -> (Vec<u8>, net::TcpStream) {
    let heard = offload(move || {
        let mut bytes = Vec::new();
        far.read_to_end(&mut bytes).map(|_| (bytes, far))
    });
    heard.await.unwrap().unwrap()
}

#[test]
fn the_drop_of_the_reading_half_leaves_the_writing_one() {
    run(async {
        let (stream, far) = pair();
        let (mut read, mut write) = stream.into_split();
        assert!(polled_once(read.read(&mut [0; 8])).await.is_none());
        drop(read);
        yield_now().await.unwrap();
        write.write_all(b"still here").await.unwrap();
        write.shutdown().await.unwrap();
        assert_eq!(heard(far).await.0, b"still here");
    });
}

#[test]
fn the_cancelled_wait_of_one_half_leaves_the_other() {
    run(async {
        let (stream, mut far) = pair();
        let (mut read, mut write) = stream.into_split();
        let mut buf = [0; 8];
        if let Some(result) = cancelled_while_pending(read.read(&mut buf)).await {
            assert_cancelled(&result);
        }
        write.write_all(b"out").await.unwrap();
        write.flush().await.unwrap();
        let mut out = [0; 3];
        far.read_exact(&mut out).unwrap();
        far.write_all(b"in").unwrap();
        assert_eq!(read.read(&mut buf).await.unwrap(), 2);
    });
}

#[test]
fn halves_of_one_stream_make_it_again() {
    run(async {
        let ((one, mut far), (other, _other_far)) = (pair(), pair());
        let address = one.local_addr().unwrap();
        let (mut read, write) = one.into_split();
        let (other_read, other_write) = other.into_split();
        far.write_all(b"12").unwrap();
        assert_eq!(read.read(&mut [0; 1]).await.unwrap(), 1);
        let (read, other_write) = unlike(read, other_write);
        let mut again = read.reunite(write).unwrap();
        // What had been received has not been lost.
        assert_eq!(again.read(&mut [0; 8]).await.unwrap(), 1);
        assert_eq!(again.local_addr().unwrap(), address);
        other_write.reunite(other_read).unwrap();
    });
}

/// Fails to unite them, and has them back.
fn unlike(read: OwnedReadHalf, write: OwnedWriteHalf) -> (OwnedReadHalf, OwnedWriteHalf) {
    let error = read.reunite(write).unwrap_err();
    assert_eq!(
        error.to_string(),
        "these are not the two halves of one stream"
    );
    (error.0, error.1)
}

#[test]
fn the_socket_is_closed_with_the_second_half() {
    if !alone("net_tcp_halves::the_socket_is_closed_with_the_second_half") {
        return;
    }
    let mut runtime = runtime();
    let fds = open_fds();
    for reader_first in [true, false] {
        runtime.block_on(async {
            let (stream, mut far) = pair();
            let (mut read, mut write) = stream.into_split();
            assert!(polled_once(read.read(&mut [0; 8])).await.is_none());
            write.write_all(b"x").await.unwrap();
            if reader_first {
                drop((read, write));
            } else {
                drop((write, read));
            }
            // Blocks until it is closed, and the loop has to go round for that.
            let end = offload(move || far.read_to_end(&mut Vec::new()));
            assert_eq!(end.await.unwrap().unwrap(), 1);
        });
        settle(&mut runtime, fds);
    }
}

#[test]
fn borrowed_halves_read_and_write_at_once() {
    async fn both(stream: &mut TcpStream) -> std::io::Result<usize> {
        let (mut read, mut write) = stream.split();
        let mut buf = [0; 8];
        let (read, written) =
            ringloop::future::join(read.read(&mut buf), write.write_all(b"to")).await;
        written.and(read)
    }
    run(async {
        let (mut stream, mut far) = pair();
        far.write_all(b"from").unwrap();
        assert_eq!(both(&mut stream).await.unwrap(), 4);
    });
}

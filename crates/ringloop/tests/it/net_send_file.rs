use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::thread::{self, JoinHandle};

use ringloop::io::Partial;
use ringloop::net::TcpStream;
use ringloop::task::yield_now;
use socket2::SockRef;

use crate::rig::{
    alone, cancelled_while_pending, in_cancelled_scope, numbered, open_fds, pair, polled_once,
    reset, run, runtime, settle,
};

/// A file without a name that has the numbered bytes in it.
fn file(len: usize) -> File {
    let name = format!("ringloop-send-file-{}-{len}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let mut options = File::options();
    let mut file = options
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)
        .unwrap();
    std::fs::remove_file(path).unwrap();
    file.write_all(&numbered(0, len)).unwrap();
    file.seek(SeekFrom::Start(7)).unwrap();
    file
}

fn reads_all(mut far: std::net::TcpStream) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        far.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// A stream whose peer does not read yet, and whose sockets hold little.
fn narrow() -> (TcpStream, std::net::TcpStream) {
    let (near, far) = pair();
    SockRef::from(&near).set_send_buffer_size(64_000).unwrap();
    SockRef::from(&far).set_recv_buffer_size(64_000).unwrap();
    (near, far)
}

#[test]
fn ranges_are_sent_as_far_as_the_file_goes() {
    const LEN: usize = 700_001;
    run(async {
        let mut file = file(LEN);
        let ranges = [
            (0, None),
            (0, Some(LEN)),
            (1, Some(2)),
            (4095, Some(600_000)),
            (LEN - 1, None),
            (LEN - 10, Some(LEN + 10_000)),
            (LEN, None),
            (LEN + 5, Some(LEN + 9)),
            (9, Some(9)),
            (9, Some(3)),
        ];
        for (start, end) in ranges {
            let (mut near, far) = pair();
            let reader = reads_all(far);
            near.write_all(b"head").await.unwrap();
            let sent = match end {
                None => near.send_file(&file, start as u64..).await,
                Some(end) => near.send_file(&file, start as u64..end as u64).await,
            };
            near.write_all(b"tail").await.unwrap();
            near.shutdown().await.unwrap();
            let expected = end.unwrap_or(LEN).min(LEN).saturating_sub(start);
            assert_eq!(sent.unwrap(), expected as u64, "{start} {end:?}");
            let bytes = reader.join().unwrap();
            let file = numbered(start, expected);
            assert!(bytes == [b"head", &file[..], b"tail"].concat());
        }
        let (mut near, far) = pair();
        let reader = reads_all(far);
        assert_eq!(near.send_file(&file, 3..=8).await.unwrap(), 6);
        near.shutdown().await.unwrap();
        assert_eq!(reader.join().unwrap(), numbered(3, 6));
        assert_eq!(file.stream_position().unwrap(), 7, "nobody has moved it");
    });
}

#[test]
fn halves_and_unix_streams_send_files_too() {
    run(async {
        let file = file(300_000);
        let (near, mut far) = std::os::unix::net::UnixStream::pair().unwrap();
        let reader = thread::spawn(move || {
            let mut bytes = Vec::new();
            far.read_to_end(&mut bytes).unwrap();
            bytes
        });
        let near = ringloop::net::UnixStream::from_std(near).unwrap();
        let (_read, mut write) = near.into_split();
        assert_eq!(write.send_file(&file, ..).await.unwrap(), 300_000);
        drop(write);
        assert!(reader.join().unwrap() == numbered(0, 300_000));
    });
}

#[test]
fn a_file_that_cannot_be_spliced_is_read_and_sent() {
    run(async {
        let path = "/proc/self/limits";
        let file = File::open(path).unwrap();
        let (mut near, far) = pair();
        let reader = reads_all(far);
        let sent = near.send_file(&file, 10..).await.unwrap();
        near.shutdown().await.unwrap();
        let bytes = reader.join().unwrap();
        assert_eq!(sent, bytes.len() as u64);
        assert!(bytes == std::fs::read(path).unwrap()[10..]);
    });
}

#[test]
fn a_file_that_cannot_be_read_says_so() {
    run(async {
        let (mut near, _far) = pair();
        let directory = File::open("/").unwrap();
        let error = near.send_file(&directory, ..).await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EISDIR));
        let null = File::options().write(true).open("/dev/null").unwrap();
        let error = near.send_file(&null, ..).await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EBADF));
    });
}

#[test]
fn a_file_may_grow_and_shrink_meanwhile() {
    run(async {
        let (mut near, far) = narrow();
        let growing = file(1_000_000);
        let mut send = Box::pin(near.send_file(&growing, ..));
        assert!(polled_once(&mut send).await.is_none());
        for _ in 0..5 {
            yield_now().await.unwrap();
        }
        (&growing).seek(SeekFrom::End(0)).unwrap();
        (&growing).write_all(&numbered(1_000_000, 500_000)).unwrap();
        let reader = reads_all(far);
        assert_eq!(send.await.unwrap(), 1_500_000);
        near.shutdown().await.unwrap();
        assert!(reader.join().unwrap() == numbered(0, 1_500_000));

        let (mut near, far) = narrow();
        let shrinking = file(3_000_000);
        let mut send = Box::pin(near.send_file(&shrinking, ..));
        assert!(polled_once(&mut send).await.is_none());
        for _ in 0..5 {
            yield_now().await.unwrap();
        }
        shrinking.set_len(500_000).unwrap();
        let reader = reads_all(far);
        let sent = usize::try_from(send.await.unwrap()).unwrap();
        near.shutdown().await.unwrap();
        let bytes = reader.join().unwrap();
        assert!(sent <= 900_000, "{sent}");
        // What was in the pipe has become zero, or has been cut off.
        assert!(bytes.len() <= sent && bytes.len() >= 100_000);
    });
}

#[test]
fn a_cancelled_file_tells_how_much_and_goes_on_from_there() {
    const LEN: usize = 3_000_000;
    run(async {
        let file = file(LEN);
        let (mut near, far) = narrow();
        let nothing = in_cancelled_scope(near.send_file(&file, ..)).await;
        assert!(nothing.is_none_or(|result| Partial::of(&result.unwrap_err()).is_none()));
        let mut sent = 0;
        let mut given_up = 0;
        let reader = reads_all(far);
        while sent < LEN {
            let mut told = None;
            let keep = async {
                let result = near.send_file(&file, sent as u64..).await;
                match &result {
                    Ok(count) => told = Some(*count),
                    Err(error) => {
                        assert!(ringloop::cancel::is_cancelled(error));
                        told = Some(Partial::of(error).map_or(0, Partial::done));
                    }
                }
                result
            };
            if cancelled_while_pending(keep).await.is_none() {
                given_up += 1;
            }
            sent += usize::try_from(told.unwrap()).unwrap();
            for _ in 0..3 {
                yield_now().await.unwrap();
            }
            if given_up > 5 {
                sent +=
                    usize::try_from(near.send_file(&file, sent as u64..).await.unwrap()).unwrap();
            }
        }
        assert!(given_up > 0);
        near.shutdown().await.unwrap();
        assert!(reader.join().unwrap() == numbered(0, LEN));
    });
}

#[test]
fn a_dropped_file_leaves_whole_bytes_and_no_descriptor() {
    if !alone("net_send_file::a_dropped_file_leaves_whole_bytes_and_no_descriptor") {
        return;
    }
    let mut runtime = runtime();
    let fds = open_fds();
    runtime.block_on(async {
        let file = file(1_000_000);
        for turns in 0..12 {
            let (mut near, far) = narrow();
            let mut send = Box::pin(near.send_file(&file, ..));
            for _ in 0..=turns {
                if polled_once(&mut send).await.is_some() {
                    break;
                }
                yield_now().await.unwrap();
            }
            drop(send);
            let reader = reads_all(far);
            near.write_all(b"end").await.unwrap();
            near.close().await.unwrap();
            let bytes = reader.join().unwrap();
            let (sent, end) = bytes.split_at(bytes.len() - 3);
            assert!(sent == numbered(0, sent.len()) && end == b"end");
        }
    });
    settle(&mut runtime, fds);
}

#[test]
fn a_reset_in_the_middle_tells_what_the_socket_took() {
    run(async {
        let file = file(3_000_000);
        let (mut near, mut far) = narrow();
        let mut send = Box::pin(near.send_file(&file, ..));
        assert!(polled_once(&mut send).await.is_none());
        let reader = thread::spawn(move || {
            far.read_exact(&mut vec![0; 300_000]).unwrap();
            reset(far);
        });
        let error = send.await.unwrap_err();
        let kinds = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
        assert!(kinds.contains(&error.kind()), "{error}");
        reader.join().unwrap();
        let done = Partial::of(&error).unwrap().done();
        assert!((300_000..3_000_000).contains(&done), "{done}");
    });
}

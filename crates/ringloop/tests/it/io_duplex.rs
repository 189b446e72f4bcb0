//! Pairs in memory, and the halves of any stream.

use std::io::ErrorKind;

use ringloop::io::{AsyncBufRead, AsyncRead, AsyncWrite, duplex, split};
use ringloop::spawn;
use ringloop::task::yield_now;

use crate::rig::{numbered, polled_once, run_virtual};

#[test]
fn no_more_than_the_capacity_is_under_way() {
    run_virtual(async {
        let (mut near, mut far) = duplex(8);
        assert_eq!(near.write(&[1; 99]).await.unwrap(), 8);
        assert!(polled_once(near.write(b"x")).await.is_none());
        // What is lent and not consumed is under way, too.
        assert_eq!(far.fill_buf().await.unwrap().len(), 8);
        assert!(polled_once(near.write(b"x")).await.is_none());
        far.consume(3);
        assert_eq!(near.write(&[2; 99]).await.unwrap(), 3);
        assert!(polled_once(near.write(b"x")).await.is_none());
        let mut buf = [0; 99];
        assert_eq!(far.read(&mut buf).await.unwrap(), 5);
        assert_eq!(far.read(&mut buf).await.unwrap(), 3);
        // The other direction has its own.
        assert_eq!(far.write(&[3; 99]).await.unwrap(), 8);
    });
}

#[test]
fn both_sides_wake_each_other() {
    for capacity in [1, 7, 64, 5000] {
        run_virtual(async {
            const TOTAL: usize = 3000;
            let (mut near, mut far) = duplex(capacity);
            let writer = spawn(async move {
                near.write_all(&numbered(0, TOTAL)).await.unwrap();
                near.shutdown().await.unwrap();
                let mut back = Vec::new();
                near.read_to_end(&mut back).await.unwrap();
                back
            });
            let mut bytes = Vec::new();
            assert_eq!(far.read_to_end(&mut bytes).await.unwrap(), TOTAL);
            assert!(bytes == numbered(0, TOTAL));
            far.write_all(&bytes).await.unwrap();
            drop(far);
            assert!(writer.await.unwrap() == bytes);
        });
    }
}

#[test]
fn one_direction_ends_and_the_other_goes_on() {
    run_virtual(async {
        let (mut near, mut far) = duplex(8);
        near.write_all(b"abc").await.unwrap();
        near.shutdown().await.unwrap();
        near.shutdown().await.unwrap();
        let error = near.write_all(b"d").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        let mut bytes = Vec::new();
        far.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, b"abc");
        assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
        far.write_all(b"back").await.unwrap();
        assert_eq!(near.fill_buf().await.unwrap(), b"back");
    });
}

#[test]
fn a_dropped_end_is_a_closed_connection() {
    run_virtual(async {
        let (mut near, mut far) = duplex(4);
        far.write_all(b"last").await.unwrap();
        let writing = spawn(async move {
            let error = near.write_all(b"too much").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
            near
        });
        yield_now().await.unwrap();
        drop(far);
        let mut near = writing.await.unwrap();
        let mut bytes = Vec::new();
        near.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, b"last");
        let (mut near, far) = duplex(4);
        let reading = spawn(async move { near.read(&mut [0]).await });
        yield_now().await.unwrap();
        drop(far);
        assert_eq!(reading.await.unwrap().unwrap(), 0);
    });
}

#[test]
fn halves_are_used_by_two_tasks_and_put_together() {
    run_virtual(async {
        let (near, far) = duplex(3);
        let (mut reader, mut writer) = split(near);
        let (mut far_reader, mut far_writer) = split(far);
        let echo = spawn(async move {
            ringloop::io::copy(&mut far_reader, &mut far_writer)
                .await
                .unwrap();
            far_writer.shutdown().await.unwrap();
            far_reader.unsplit(far_writer).ok().unwrap()
        });
        let writing = spawn(async move {
            writer.write_all(&numbered(0, 100)).await.unwrap();
            writer.shutdown().await.unwrap();
            writer
        });
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, numbered(0, 100));
        let writer = writing.await.unwrap();
        let (other_reader, other_writer) = split(echo.await.unwrap());
        assert!(!reader.is_pair_of(&other_writer));
        let (reader, other_writer) = reader.unsplit(other_writer).unwrap_err();
        assert!(reader.unsplit(writer).is_ok());
        assert!(other_reader.unsplit(other_writer).is_ok());
    });
}

//! Writing to any sink.

use std::io::{Cursor, ErrorKind, IoSlice};

use ringloop::cancel::is_cancelled;
use ringloop::io::{AsyncWrite, Partial, duplex, sink};

use crate::io_pieces::{Trickle, cuts};
use crate::rig::{cancelled_while_pending, polled_once, run_virtual};

/// What the error says was accepted.
#[track_caller]
fn accepted(result: &std::io::Result<()>, expected: u64) -> Option<u64> {
    let partial = Partial::of(result.as_ref().unwrap_err())?;
    assert_eq!(partial.expected(), Some(expected));
    Some(partial.done())
}

#[test]
fn a_failed_write_says_how_much_was_accepted() {
    for (step, room) in [(1, 3), (2, 3), (5, 3), (5, 5), (1, 0)] {
        run_virtual(async {
            let mut sink = Trickle::new(step, room);
            let mut writing = sink.write_all(b"abcdef");
            let result = (&mut writing).await;
            assert_eq!(writing.written(), room);
            assert_eq!(accepted(&result, 6), (room > 0).then_some(room as u64));
            assert_eq!(result.unwrap_err().kind(), ErrorKind::ConnectionReset);
            assert_eq!(sink.taken, b"abcdef"[..room]);
        });
    }
}

#[test]
fn a_cancelled_write_says_how_much_was_accepted() {
    run_virtual(async {
        for capacity in 1..6 {
            let (mut near, far) = duplex(capacity);
            let mut told = None;
            let scope = cancelled_while_pending(async {
                let mut writing = near.write_all(b"abcdef");
                let result = (&mut writing).await;
                assert!(is_cancelled(result.as_ref().unwrap_err()));
                told = Some((accepted(&result, 6), writing.written()));
                result
            });
            assert!(scope.await.is_none());
            assert_eq!(told, Some((Some(capacity as u64), capacity)));
            // One that was not even begun.
            assert!(
                cancelled_while_pending(near.write_all(b"abc"))
                    .await
                    .is_none()
            );
            drop(far);
        }
    });
}

#[test]
fn a_write_that_is_dropped_says_how_much_was_accepted() {
    run_virtual(async {
        let (mut near, _far) = duplex(4);
        let mut writing = near.write_all(b"abcdef");
        assert!(polled_once(&mut writing).await.is_none());
        assert_eq!(writing.written(), 4);
    });
}

#[test]
fn several_slices_are_written_in_order() {
    for slices in cuts(b"abcdefg") {
        for step in 1..8 {
            run_virtual(async {
                let mut sink = Trickle::new(step, 6);
                let mut list = vec![IoSlice::new(b"")];
                list.extend(
                    slices
                        .iter()
                        .flat_map(|slice| [IoSlice::new(slice), IoSlice::new(b"")]),
                );
                let mut writing = sink.write_all_vectored(&list);
                let result = (&mut writing).await;
                assert_eq!(writing.written(), 6);
                assert_eq!(accepted(&result, 7), Some(6), "{slices:?} by {step}");
                assert_eq!(sink.taken, b"abcdef");
                let mut sink = Trickle::new(step, 7);
                sink.write_all_vectored(&list).await.unwrap();
                assert_eq!(sink.taken, b"abcdefg");
            });
        }
    }
}

#[test]
fn nothing_is_written_at_once() {
    run_virtual(async {
        let (mut near, _far) = duplex(1);
        near.write_all(b"x").await.unwrap();
        near.write_all(b"").await.unwrap();
        near.write_all_vectored(&[]).await.unwrap();
        near.write_all_vectored(&[IoSlice::new(b"")]).await.unwrap();
        assert_eq!(near.write(b"").await.unwrap(), 0);
        assert_eq!(near.write_vectored(&[]).await.unwrap(), 0);
        assert!(
            polled_once(near.write_vectored(&[IoSlice::new(b"y")]))
                .await
                .is_none()
        );
    });
}

#[test]
fn memory_is_written_to() {
    run_virtual(async {
        let mut memory = [0; 4];
        let mut room = &mut memory[..];
        let error = room.write_all(b"abcdef").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
        assert_eq!(Partial::of(&error).unwrap().done(), 4);
        assert_eq!(&memory, b"abcd");
        let mut cursor = Cursor::new(vec![0; 2]);
        cursor.write_all(b"abc").await.unwrap();
        cursor.flush().await.unwrap();
        assert_eq!(cursor.into_inner(), b"abc");
        let mut boxed: Box<dyn AsyncWrite> = Box::new(sink());
        boxed.write_all(b"gone").await.unwrap();
        boxed.shutdown().await.unwrap();
    });
}

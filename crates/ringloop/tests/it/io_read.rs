//! Reading from any source.

use std::io::{Cursor, ErrorKind};
use std::string::FromUtf8Error;

use ringloop::io::{AsyncBufRead, AsyncRead, Partial, ReadError, empty, repeat};
use ringloop::stream::Stream;

use crate::io_pieces::{Pieces, cuts};
use crate::rig::{cancelled_while_pending, polled_once, run_virtual};

#[test]
fn so_many_bytes_come_out_of_any_cut() {
    for pieces in cuts(b"abcdef") {
        run_virtual(async {
            let mut source = Pieces::new(pieces.iter().copied());
            let mut buf = [0; 4];
            source.read_exact(&mut buf).await.unwrap();
            assert_eq!(&buf, b"abcd");
            let mut reading = source.read_exact(&mut buf);
            let error = (&mut reading).await.unwrap_err();
            assert_eq!(reading.filled(), 2);
            assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
            let partial = Partial::of(&error).unwrap();
            assert_eq!((partial.done(), partial.expected()), (2, Some(4)));
            assert_eq!(
                error.to_string(),
                "unexpected end of file, after 2 of 4 bytes"
            );
            assert_eq!(&buf, b"efcd");
            let error = source.read_exact(&mut buf).await.unwrap_err();
            assert_eq!(Partial::of(&error).unwrap().done(), 0);
            source.read_exact(&mut []).await.unwrap();
        });
    }
}

#[test]
fn an_error_comes_after_the_bytes_and_says_how_many() {
    run_virtual(async {
        let mut source = Pieces::new([&b"abc"[..]]).failing(ErrorKind::ConnectionReset);
        let mut buf = [0; 8];
        let error = source.read_exact(&mut buf).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        let partial = Partial::of(&error).unwrap();
        assert_eq!(
            (partial.done(), partial.cause().kind()),
            (3, ErrorKind::ConnectionReset)
        );
        let mut source = Pieces::new([]).failing(ErrorKind::ConnectionReset);
        let error = source.read_exact(&mut buf).await.unwrap_err();
        assert!(Partial::of(&error).is_none());
        let mut source = Pieces::new([&b"abc"[..]]).failing(ErrorKind::ConnectionReset);
        let mut bytes = Vec::new();
        let error = source.read_to_end(&mut bytes).await.unwrap_err();
        assert_eq!(
            (error.kind(), &bytes[..]),
            (ErrorKind::ConnectionReset, &b"abc"[..])
        );
    });
}

#[test]
fn a_cancelled_read_exact_says_how_much_is_there() {
    run_virtual(async {
        let (mut near, mut far) = ringloop::io::duplex(64);
        ringloop::io::AsyncWrite::write_all(&mut far, b"abc")
            .await
            .unwrap();
        let mut buf = [0; 8];
        let mut told = None;
        let scope = cancelled_while_pending(async {
            let result = near.read_exact(&mut buf).await;
            let error = result.as_ref().unwrap_err();
            assert!(ringloop::cancel::is_cancelled(error));
            told = Partial::of(error).map(Partial::done);
            result
        });
        // The scope takes what is inside for its own.
        assert!(scope.await.is_none());
        assert_eq!((told, &buf[..3]), (Some(3), &b"abc"[..]));
    });
}

#[test]
fn everything_up_to_the_end_comes_out_of_any_cut() {
    for pieces in cuts("aé€\u{1f600}".as_bytes()) {
        run_virtual(async {
            let mut text = "before ".to_owned();
            let mut source = Pieces::new(pieces.iter().copied());
            assert_eq!(source.read_to_string(&mut text).await.unwrap(), 10);
            assert_eq!(text, "before aé€\u{1f600}");
            assert_eq!(source.read_to_string(&mut text).await.unwrap(), 0);
        });
    }
}

#[test]
fn what_is_not_text_is_in_the_error() {
    run_virtual(async {
        for is_line in [false, true] {
            let mut text = "before".to_owned();
            let mut source: &[u8] = b"ab\xff\n";
            let error = if is_line {
                source.read_line(&mut text).await.unwrap_err()
            } else {
                source.read_to_string(&mut text).await.unwrap_err()
            };
            assert_eq!(
                (error.kind(), &text[..]),
                (ErrorKind::InvalidData, "before")
            );
            let inside = error
                .into_inner()
                .unwrap()
                .downcast::<FromUtf8Error>()
                .unwrap();
            assert_eq!(inside.into_bytes(), b"ab\xff\n");
        }
    });
}

#[test]
fn a_string_that_is_given_up_has_its_whole_characters() {
    run_virtual(async {
        let mut source = Pieces::new([&b"a"[..], "é".as_bytes(), b"\xe2\x82", b"\xac"]);
        let mut text = "before ".to_owned();
        let mut reading = Box::pin(source.read_line(&mut text));
        for _ in 0..4 {
            assert!(polled_once(&mut reading).await.is_none());
        }
        drop(reading);
        assert_eq!(text, "before aé");
    });
}

#[test]
fn lines_come_out_of_any_cut() {
    for pieces in cuts(b"ab\r\n\nc\r\xff\nd") {
        run_virtual(async {
            let mut source = Pieces::new(pieces.iter().copied());
            let mut text = String::new();
            assert_eq!(source.read_line(&mut text).await.unwrap(), 4);
            assert_eq!(text, "ab\r\n");
            let mut lines = Pieces::new(pieces.iter().copied()).lines();
            assert_eq!(lines.next().await.unwrap().unwrap(), "ab");
            assert_eq!(lines.try_next().await.unwrap().unwrap(), "");
            let error = lines.next().await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidData);
            assert_eq!(lines.next().await.unwrap().unwrap(), "d");
            assert!(lines.next().await.is_none());
            assert!(lines.try_next().await.unwrap().is_none());
        });
    }
}

#[test]
fn the_rest_of_a_line_over_the_limit_is_dropped() {
    for pieces in cuts(b"ab\nc\nde") {
        run_virtual(async {
            let mut lines = Pieces::new(pieces.iter().copied()).lines().with_limit(1);
            for expected in [None, Some("c"), None] {
                match (lines.next().await.unwrap(), expected) {
                    (Ok(line), Some(expected)) => assert_eq!(line, expected),
                    (Err(error), None) => {
                        let inside = error.get_ref().unwrap().downcast_ref();
                        assert!(matches!(inside, Some(ReadError::LimitOverrun { .. })));
                    }
                    (other, _) => panic!("{other:?}"),
                }
            }
            assert!(lines.next().await.is_none());
        });
    }
}

#[test]
fn sources_are_cut_off_and_joined() {
    for pieces in cuts(b"abcdef") {
        run_virtual(async {
            let first = Pieces::new(pieces.iter().copied()).take(4);
            let mut both = first.chain(Cursor::new("xyz")).chain(empty());
            let mut bytes = vec![0; 3];
            both.read_exact(&mut bytes).await.unwrap();
            both.read_until(b'y', &mut bytes).await.unwrap();
            assert_eq!(both.fill_buf().await.unwrap(), b"z");
            both.read_to_end(&mut bytes).await.unwrap();
            assert_eq!(bytes, b"abcdxyz");
            let mut rest = both.into_inner().0.into_inner().0.into_inner();
            bytes.clear();
            rest.read_to_end(&mut bytes).await.unwrap();
            assert_eq!(bytes, b"ef");
        });
    }
    run_virtual(async {
        let mut bytes = Vec::new();
        repeat(b'x')
            .take(1000)
            .read_to_end(&mut bytes)
            .await
            .unwrap();
        assert_eq!(bytes, vec![b'x'; 1000]);
        let mut source = repeat(b'x').take(3);
        assert_eq!(source.fill_buf().await.unwrap(), b"xxx");
        source.consume(2);
        assert_eq!(
            (source.limit(), source.fill_buf().await.unwrap()),
            (1, &b"x"[..])
        );
    });
}

#[test]
fn a_source_may_be_boxed_and_borrowed() {
    run_virtual(async {
        let mut source: Box<dyn AsyncBufRead> = Box::new(&b"abc\ndef"[..]);
        let mut text = String::new();
        source.read_line(&mut text).await.unwrap();
        let mut borrowed: &mut dyn AsyncRead = &mut source;
        (&mut borrowed)
            .take(1)
            .read_to_string(&mut text)
            .await
            .unwrap();
        assert_eq!(text, "abc\nd");
        assert_eq!(source.read(&mut []).await.unwrap(), 0);
    });
}

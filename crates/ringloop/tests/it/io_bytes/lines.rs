//! Lines of text.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::pin;
use std::string::FromUtf8Error;

use ringloop::io::{BufStream, ReadError};
use ringloop::stream::Stream;

use super::source::Source;
use super::{Script, polled};

/// Reads the lines of a stream, each once, whatever is given up.
pub(super) fn run(mut script: Script<'_>) {
    let limit = script.amount();
    let mut steps = Script(script.take(30));
    let source = Source::new(&mut script, false);
    let mut pieces = source.bytes().split_inclusive(|byte| *byte == b'\n');
    let mut lines = pin!(BufStream::with_limit(source, limit).lines());
    loop {
        let patience = steps.patience().max(1);
        let next = poll_fn(|cx| lines.as_mut().poll_next(cx));
        let Some(line) = polled(patience, next) else {
            continue;
        };
        let Some(line) = line else { break };
        let piece = pieces.next().expect("there are no more");
        let expected = piece.strip_suffix(b"\n").unwrap_or(piece);
        if expected.len() > limit {
            let consumed = overrun(&line.expect_err("it is too long"));
            assert!((limit + 1..=expected.len()).contains(&consumed));
            continue;
        }
        let expected = piece.strip_suffix(b"\r\n").unwrap_or(expected);
        match line {
            Ok(line) => assert_eq!(line.as_bytes(), expected),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidData);
                let inside = error.get_ref().and_then(|inside| inside.downcast_ref());
                let text: &FromUtf8Error = inside.expect("it has the bytes");
                assert_eq!(text.as_bytes(), expected);
            }
        }
    }
    assert!(pieces.next().is_none(), "there are more");
}

fn overrun(error: &io::Error) -> usize {
    let inside = error.get_ref().and_then(|inside| inside.downcast_ref());
    let Some(ReadError::LimitOverrun { consumed }) = inside else {
        panic!("{error:?}");
    };
    *consumed
}

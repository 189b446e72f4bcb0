//! Writing through a buffer.

use std::io::{ErrorKind, IoSlice};

use ringloop::io::{AsyncWrite, BufStream};

use super::source::Sink;
use super::{Script, polled};

/// Writes until the script says no more, and accounts for every byte.
pub(super) fn run(mut script: Script<'_>) {
    let mut steps = Script(script.take(60));
    let mut stream = BufStream::new(Sink::new(&mut script));
    let mut accepted: Vec<u8> = Vec::new();
    for _ in 0..20 {
        let (kind, amount, patience) = (steps.below(6), steps.amount(), steps.patience());
        let bytes: Vec<u8> = (accepted.len()..).take(amount % 20_000).map(low).collect();
        match kind {
            0 => {
                let written = polled(patience, stream.write(&bytes));
                let count = written.map_or(0, |written| written.unwrap_or(0));
                accepted.extend_from_slice(&bytes[..count]);
            }
            1 | 2 => {
                let mut write = stream.write_all(&bytes);
                let written = polled(patience, &mut write);
                let count = write.written();
                assert!(count == bytes.len() || !matches!(written, Some(Ok(()))));
                accepted.extend_from_slice(&bytes[..count]);
            }
            3 => {
                let (first, second) = bytes.split_at(bytes.len() / 3);
                let slices = [IoSlice::new(first), IoSlice::new(second)];
                let written = polled(patience, stream.write_vectored(&slices));
                let count = written.map_or(0, |written| written.unwrap_or(0));
                accepted.extend_from_slice(&bytes[..count]);
            }
            4 => {
                if let Some(Ok(())) = polled(patience, stream.flush()) {
                    assert_eq!(stream.unflushed(), b"");
                }
            }
            _ => {
                let is_shut = matches!(polled(patience, stream.shutdown()), Some(Ok(())));
                assert!(!is_shut || stream.get_ref().is_shut);
                if stream.get_ref().is_shut {
                    let late = polled(usize::MAX, stream.write(b"x"));
                    let refused = late.expect("it is refused").map_err(|error| error.kind());
                    assert_eq!(refused, Err(ErrorKind::BrokenPipe));
                    break;
                }
            }
        }
        let (taken, waits) = (&stream.get_ref().taken, stream.unflushed());
        assert_eq!(taken.len() + waits.len(), accepted.len());
        assert!(accepted.starts_with(taken) && accepted.ends_with(waits));
    }
    let (sink, _, unflushed) = stream.into_parts();
    assert!([sink.taken, unflushed].concat() == accepted);
}

/// Bytes whose order shows.
fn low(at: usize) -> u8 {
    u8::try_from(at % 251).expect("it is less than 251")
}

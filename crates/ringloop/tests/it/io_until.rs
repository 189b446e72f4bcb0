//! Reading through one or several separators.

use std::io::ErrorKind;

use ringloop::io::{AsyncBufRead, BufStream, ReadError, Separators};

use crate::io_pieces::{Pieces, cuts};
use crate::rig::run_virtual;
use crate::seeds::{Choice, each_seed};

/// Reads `bytes` piece by piece up to the end, through both ways that there are, in all cuts.
#[track_caller]
fn check<S: Separators + Copy>(bytes: &[u8], separators: S, expected: &[&str]) {
    for pieces in cuts(bytes) {
        run_virtual(async {
            let mut source = Pieces::new(pieces.iter().copied());
            let mut stream = BufStream::new(Pieces::new(pieces.iter().copied()));
            for expected in expected {
                let mut bytes = b"before ".to_vec();
                let count = source.read_until(separators, &mut bytes).await.unwrap();
                assert_eq!(bytes[7..], *expected.as_bytes(), "{pieces:?}");
                assert_eq!(count, expected.len());
                match stream.read_until(separators).await {
                    Ok(piece) => assert_eq!(piece, expected.as_bytes(), "{pieces:?}"),
                    Err(ReadError::Incomplete {
                        partial,
                        expected: None,
                    }) => {
                        assert_eq!(partial, expected.as_bytes(), "{pieces:?}");
                    }
                    Err(error @ (ReadError::Io(_) | _)) => panic!("{error:?}"),
                }
            }
            assert_eq!(
                source
                    .read_until(separators, &mut Vec::new())
                    .await
                    .unwrap(),
                0
            );
            let end = stream.read_until(separators).await;
            assert!(
                matches!(end, Err(ReadError::Incomplete { partial, .. }) if partial.is_empty())
            );
        });
    }
}

#[test]
fn one_byte_separates() {
    check(b"a\n\nbc\n", b'\n', &["a\n", "\n", "bc\n"]);
    check(b"\na", b'\n', &["\n", "a"]);
}

#[test]
fn a_separator_of_several_bytes_may_straddle_pieces() {
    check(b"a\r\n\r\nb\rc", b"\r\n", &["a\r\n", "\r\n", "b\rc"]);
    check(b"aaabaab", "aab", &["aaab", "aab"]);
    check(b"xabababc", b"ababc", &["xabababc"]);
}

#[test]
fn of_several_separators_the_shortest_piece_wins() {
    check(b"ab--c-d", ["--", "-"], &["ab-", "-", "c-", "d"]);
    check(b"a;b, c", [", ", ";"], &["a;", "b, ", "c"]);
    // One that begins first but ends later.
    check(b"xabcdy", ["abcd", "bc"], &["xabc", "dy"]);
    check(b"abababab", ["abab", "ba"], &["aba", "ba", "ba", "b"]);
}

#[test]
fn there_must_be_a_separator() {
    run_virtual(async {
        let mut source: &[u8] = b"abc";
        let mut bytes = Vec::new();
        let nothing: [&str; 0] = [];
        let error = source.read_until(nothing, &mut bytes).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let error = source.read_until(["a", ""], &mut bytes).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!((source, bytes.len()), (&b"abc"[..], 0));
        let mut stream = BufStream::new(source);
        let ReadError::Io(error) = stream.read_until("").await.unwrap_err() else {
            panic!("another error");
        };
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert_eq!(
            stream.skip_until("").await.unwrap_err().kind(),
            ErrorKind::InvalidInput
        );
        assert_eq!(stream.read_to_end().await.unwrap(), b"abc");
    });
}

/// Where the piece at the front of `bytes` ends: the plain way, one end after another. Of separators
/// with that end, the longest.
fn model(bytes: &[u8], separators: &[&[u8]]) -> Option<(usize, usize)> {
    (1..=bytes.len()).find_map(|end| {
        let fitting = separators
            .iter()
            .filter(|separator| bytes[..end].ends_with(separator));
        let longest = fitting.map(|separator| separator.len()).max()?;
        Some((end - longest, end))
    })
}

/// What comes of one piece: through the separator, up to the end, or too long.
#[derive(Debug, PartialEq)]
enum Piece {
    Whole(Vec<u8>),
    Rest(Vec<u8>),
    TooLong,
}

fn expected(bytes: &mut &[u8], separators: &[&[u8]], limit: usize) -> Piece {
    let longest = separators
        .iter()
        .map(|separator| separator.len())
        .max()
        .unwrap();
    let found = model(bytes, separators);
    let before = found.map_or((bytes.len() + 1).saturating_sub(longest), |found| found.0);
    if before > limit {
        return Piece::TooLong;
    }
    let end = found.map_or(bytes.len(), |found| found.1);
    let (piece, rest) = bytes.split_at(end);
    *bytes = rest;
    if found.is_some() {
        Piece::Whole(piece.to_vec())
    } else {
        Piece::Rest(piece.to_vec())
    }
}

#[test]
fn pieces_are_as_in_a_plain_model() {
    each_seed(600, |seed| {
        let mut chance = Choice::new(seed);
        let (letters, separators) = (2 + chance.below(2), 1 + chance.below(3));
        let mut word = |len_max| -> Vec<u8> {
            let len = 1 + chance.below(len_max);
            (0..len).map(|_| b"abc"[chance.below(letters)]).collect()
        };
        let bytes = word(40);
        let separators: Vec<Vec<u8>> = (0..separators).map(|_| word(4)).collect();
        let separators: Vec<&[u8]> = separators.iter().map(Vec::as_slice).collect();
        let mut pieces = Vec::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let len = 1 + chance.below(rest.len().min(6));
            pieces.push(&rest[..len]);
            rest = &rest[len..];
        }
        let limit = chance.below(30);
        let told = format!("{bytes:?} in {pieces:?} by {separators:?}, {limit}");
        run_virtual(as_in_the_model(&bytes, &pieces, &separators, limit, &told));
    });
}

async fn as_in_the_model(
    bytes: &[u8],
    pieces: &[&[u8]],
    separators: &[&[u8]],
    limit: usize,
    told: &str,
) {
    let mut source = Pieces::new(pieces.iter().copied());
    let mut left = bytes;
    while !left.is_empty() {
        let mut piece = Vec::new();
        source.read_until(separators, &mut piece).await.unwrap();
        let (Piece::Whole(expected) | Piece::Rest(expected)) =
            expected(&mut left, separators, usize::MAX)
        else {
            panic!("there is no limit");
        };
        assert_eq!(piece, expected, "{told}");
    }
    let mut stream = BufStream::with_limit(Pieces::new(pieces.iter().copied()), limit);
    let mut left = bytes;
    loop {
        let piece = match stream.read_until(separators).await {
            Ok(piece) => Piece::Whole(piece.to_vec()),
            Err(ReadError::Incomplete { partial, .. }) => Piece::Rest(partial),
            Err(ReadError::LimitOverrun { consumed }) => {
                assert!(limit < consumed && consumed <= left.len(), "{told}");
                Piece::TooLong
            }
            Err(error @ (ReadError::Io(_) | _)) => panic!("{error:?}"),
        };
        assert_eq!(piece, expected(&mut left, separators, limit), "{told}");
        match piece {
            Piece::Whole(_) => {}
            Piece::Rest(_) => break,
            Piece::TooLong => {
                // Nothing is gone, and a skip goes where the piece would have ended.
                assert!(left.starts_with(stream.buffer()), "{told}");
                let end = model(left, separators);
                let found = stream.skip_until(separators).await.unwrap();
                assert_eq!(found, end.is_some(), "{told}");
                left = &left[end.map_or(left.len(), |end| end.1)..];
            }
        }
    }
}

//! Streams of bytes that peers choose, by chance; the fuzzer chooses with more care.

use crate::io_bytes;
use crate::seeds::{Choice, each_seed};

/// Bytes of which the beginnings are small numbers, and the rest is full of separators.
fn bytes(choice: &mut Choice) -> Vec<u8> {
    const TEXT: &[u8] = b"aaabbb\n\r\r\n\nx\xc3\xa9 ";
    let mut bytes = Vec::new();
    let mut part = |len: usize, choose: fn(&mut Choice) -> usize| {
        let len = choice.below(len);
        bytes.extend((0..len).map(|_| u8::try_from(choose(choice)).unwrap()));
    };
    part(130, |choice| choice.below(256));
    part(20, |choice| choice.below(12));
    part(400, |choice| usize::from(TEXT[choice.below(TEXT.len())]));
    part(400, |choice| usize::from(TEXT[choice.below(3)]));
    let times = [1, 1, 1, 60][choice.below(4)];
    let rest = bytes.split_off(bytes.len().min(130));
    bytes.extend(rest.repeat(times));
    bytes
}

#[test]
fn whatever_comes_is_read_as_the_model_says() {
    each_seed(200, |seed| io_bytes::run(&bytes(&mut Choice::new(seed))));
}

#[test]
fn the_kept_bytes_are_read_without_harm() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = here.join("../ringloop-proactor/fuzz/corpus/bytes");
    let files = std::fs::read_dir(corpus).unwrap();
    let count = files
        .map(|file| io_bytes::run(&std::fs::read(file.unwrap().path()).unwrap()))
        .count();
    assert!(count > 0, "there is a corpus");
}

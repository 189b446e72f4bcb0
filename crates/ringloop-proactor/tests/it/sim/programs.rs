//! Random programs: those that the fuzzer has kept, and some that a seed makes up.

use std::fs;
use std::path::{Path, PathBuf};

use super::program;

/// Runs a program; a panic says which one it was.
fn check(name: &str, bytes: &[u8]) {
    struct Name<'a>(&'a str);

    impl Drop for Name<'_> {
        #[expect(clippy::print_stderr, reason = "a test says where it failed")]
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("the program is {}", self.0);
            }
        }
    }

    let _name = Name(name);
    program::run(bytes);
}

#[test]
fn the_kept_programs_run() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/programs");
    let files = fs::read_dir(corpus).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "there is a corpus");
    for file in files {
        check(&file.display().to_string(), &fs::read(&file).unwrap());
    }
}

/// With `RINGLOOP_PROGRAM` in the environment, the path of a file that the fuzzer has left.
#[test]
fn the_named_program_runs() {
    if let Some(path) = std::env::var_os("RINGLOOP_PROGRAM") {
        check(&path.display().to_string(), &fs::read(&path).unwrap());
    }
}

#[test]
fn programs_of_many_seeds_run() {
    for seed in 0..PROGRAMS {
        check(&format!("of seed {seed}"), &random(seed));
    }
}

/// The bytes of a program, from a generator of this test's own.
fn random(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    // Every other program meets few faults.
    let has_faults = seed % 2 == 1;
    let mut bytes: Vec<u8> = (0..8).map(|_| next()).collect();
    if !has_faults {
        bytes[2..5].fill(0);
    }
    let steps = 20 + usize::from(next()) / 2;
    bytes.extend((0..4 * steps).map(|_| next()));
    bytes
}

/// Fewer where each takes ten times as long.
const PROGRAMS: u64 = if cfg!(asan) { 333 } else { 2000 };

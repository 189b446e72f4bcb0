//! Command lines and what they ask for.

use super::{Command, Fuzz, Options, Request, parse};

fn read(line: &str) -> Result<Request, String> {
    parse(line.split_whitespace().map(str::to_owned))
}

#[track_caller]
fn runs(line: &str, expected: Options) {
    assert_eq!(read(line), Ok(Request::Run(expected)));
}

fn plain(command: Command) -> Options {
    Options {
        command,
        strict: false,
        krate: None,
        rest: Vec::new(),
        fuzz: Fuzz::default(),
    }
}

#[test]
fn commands_and_flags() {
    runs("check", plain(Command::Check));
    runs(
        "ci --strict",
        Options {
            strict: true,
            ..plain(Command::Ci)
        },
    );
    runs(
        "test --crate core",
        Options {
            krate: Some("core".to_owned()),
            ..plain(Command::Test)
        },
    );
}

#[test]
fn bench_passes_its_arguments_on() {
    let rest = vec!["--quick".to_owned(), "--crate".to_owned()];
    runs(
        "bench --quick --crate",
        Options {
            rest: rest.clone(),
            ..plain(Command::Bench)
        },
    );
    runs(
        "bench -- --quick --crate",
        Options {
            rest,
            ..plain(Command::Bench)
        },
    );
    let help = Options {
        rest: vec!["--help".to_owned()],
        ..plain(Command::Bench)
    };
    runs("bench -- --help", help);
}

#[test]
fn fuzz_takes_a_target_and_a_time() {
    runs("fuzz", plain(Command::Fuzz));
    runs(
        "fuzz programs --seconds 5 --keep --strict",
        Options {
            strict: true,
            fuzz: Fuzz {
                target: Some("programs".to_owned()),
                seconds: 5,
                keep: true,
                seed: None,
            },
            ..plain(Command::Fuzz)
        },
    );
}

#[test]
fn every_command_is_in_the_help() {
    let Ok(Request::Help(text)) = read("--help") else {
        panic!("--help asks for help")
    };
    for command in Command::ALL {
        assert!(
            text.contains(&format!("\n  {:<10} ", command.name())),
            "{command:?} is missing"
        );
        let asked = read(&format!("{} --help", command.name()));
        assert!(matches!(asked, Ok(Request::Help(text)) if text.contains(command.summary())));
    }
}

#[test]
fn nonsense_is_named() {
    let wrong = |line: &str| read(line).expect_err("this line makes no sense");
    assert!(wrong("").contains("no command"));
    assert!(wrong("chekc").contains("`chekc`"));
    assert!(wrong("check --fast").contains("`--fast`"));
    assert!(wrong("examples --crate core").contains("`--crate`"));
    assert!(wrong("fuzz --seconds").contains("wants a number"));
    assert!(wrong("fuzz --seconds soon").contains("wants a number"));
    assert!(wrong("fuzz programs forms").contains("`forms`"));
    assert!(wrong("fuzz --fast").contains("`--fast`"));
    assert!(wrong("test --seconds 5").contains("`--seconds`"));
    assert!(wrong("test --crate").contains("wants the name"));
}

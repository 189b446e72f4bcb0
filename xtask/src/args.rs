//! The command line: which command, with which flags.

use std::fmt::Write as _;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// This text on standard output.
    Help(String),
    /// A command.
    Run(Options),
}

/// A command and its flags.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) command: Command,
    /// `--strict`: a step whose tool is missing fails.
    pub(crate) strict: bool,
    /// `--crate NAME`.
    pub(crate) krate: Option<String>,
    /// What `bench` hands to the benchmark program.
    pub(crate) rest: Vec<String>,
    /// What `fuzz` is to do.
    pub(crate) fuzz: Fuzz,
}

/// The arguments of `fuzz`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fuzz {
    /// One target; all if it is not given.
    pub(crate) target: Option<String>,
    /// `--seconds N`: for all targets together.
    pub(crate) seconds: u32,
    /// `--keep`: the corpus of the repository takes in what was found.
    pub(crate) keep: bool,
    /// Where the random numbers begin; the gate always begins at the same place.
    pub(crate) seed: Option<u32>,
}

impl Default for Fuzz {
    fn default() -> Self {
        Self {
            target: None,
            seconds: 60,
            keep: false,
            seed: None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Check,
    Test,
    Alone,
    Loom,
    Asan,
    Soundness,
    Fuzz,
    Examples,
    Ops,
    Bench,
    Ci,
}

impl Command {
    const ALL: [Self; 11] = [
        Self::Check,
        Self::Test,
        Self::Alone,
        Self::Loom,
        Self::Asan,
        Self::Soundness,
        Self::Fuzz,
        Self::Examples,
        Self::Ops,
        Self::Bench,
        Self::Ci,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Test => "test",
            Self::Alone => "alone",
            Self::Loom => "loom",
            Self::Asan => "asan",
            Self::Soundness => "soundness",
            Self::Fuzz => "fuzz",
            Self::Examples => "examples",
            Self::Ops => "ops",
            Self::Bench => "bench",
            Self::Ci => "ci",
        }
    }

    fn summary(self) -> &'static str {
        match self {
            Self::Check => "format, clippy, docs and the tidy rules: what to run before a push",
            Self::Test => "all tests and doctests; --crate NAME: of that crate and those above it",
            Self::Alone => "builds, tests and documents each library crate by itself",
            Self::Loom => "the loom tests of each crate that has some; LOOM_MAX_PREEMPTIONS=2",
            Self::Asan => {
                "the tests of the crates with unsafe code under AddressSanitizer (nightly)"
            }
            Self::Soundness => "the proactor's integration tests, optimized as far as it goes",
            Self::Fuzz => {
                "random programs against a model; [TARGET] [--seconds N] [--keep] (nightly)"
            }
            Self::Examples => "builds all examples, and runs those whose output is known",
            Self::Ops => "writes docs/ops.md, the table of operations, which check compares",
            Self::Bench => "runs the benchmark program in release mode, with the arguments given",
            Self::Ci => "everything above that the gate runs, in order, with one closing line",
        }
    }

    fn takes_crate(self) -> bool {
        matches!(self, Self::Test | Self::Alone | Self::Loom | Self::Asan)
    }
}

impl Fuzz {
    /// Reads one argument, and from `rest` what belongs to it.
    fn read(
        &mut self,
        argument: String,
        rest: &mut impl Iterator<Item = String>,
    ) -> Result<(), String> {
        match argument.as_str() {
            "--keep" => self.keep = true,
            "--seconds" => {
                let number = rest.next().and_then(|number| number.parse().ok());
                self.seconds = number.ok_or("`--seconds` wants a number")?;
            }
            _ if argument.starts_with('-') || self.target.is_some() => {
                return Err(format!("`fuzz` knows no argument `{argument}`"));
            }
            _ => self.target = Some(argument),
        }
        Ok(())
    }
}

/// Reads the arguments that follow the program's name.
///
/// # Errors
///
/// A message for the user: no command, or a command or flag that does not exist.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Request, String> {
    let mut arguments = arguments.peekable();
    let Some(first) = arguments.next() else {
        return Err("no command given".to_owned());
    };
    if matches!(first.as_str(), "--help" | "-h" | "help") {
        return Ok(Request::Help(help()));
    }
    let Some(command) = Command::ALL
        .into_iter()
        .find(|command| command.name() == first)
    else {
        return Err(format!("no command is called `{first}`"));
    };
    let mut options = Options {
        command,
        strict: false,
        krate: None,
        rest: Vec::new(),
        fuzz: Fuzz::default(),
    };
    if command == Command::Bench
        && arguments
            .peek()
            .is_some_and(|argument| argument != "--help")
    {
        options.rest = arguments.collect();
        if options
            .rest
            .first()
            .is_some_and(|argument| argument == "--")
        {
            options.rest.remove(0);
        }
        return Ok(Request::Run(options));
    }
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--help" | "-h" => {
                let mut text = format!("cargo xtask {}: {}\n", command.name(), command.summary());
                if command == Command::Bench {
                    text.push_str("its options: cargo xtask bench -- --help\n");
                }
                return Ok(Request::Help(text));
            }
            "--strict" => options.strict = true,
            "--crate" if command.takes_crate() => {
                let name = arguments
                    .next()
                    .ok_or("`--crate` wants the name of a crate")?;
                options.krate = Some(name);
            }
            _ if command == Command::Fuzz => options.fuzz.read(argument, &mut arguments)?,
            _ => {
                return Err(format!(
                    "`{}` knows no argument `{argument}`",
                    command.name()
                ));
            }
        }
    }
    Ok(Request::Run(options))
}

fn help() -> String {
    let mut text = String::from("cargo xtask COMMAND [FLAGS]\n\nCommands:\n");
    for command in Command::ALL {
        writeln!(text, "  {:<10} {}", command.name(), command.summary())
            .expect("a String takes all that is written to it");
    }
    text.push_str(
        "\nFlags:
  --crate NAME  test, alone, loom, asan: only this crate (`core` is short for `ringloop-core`)
  --seconds N   fuzz: how long, for all targets together; 60 if it is not given
  --keep        fuzz: the corpus of the repository takes in what was found, and is made small
  --strict      a step that is skipped because a tool is missing fails
  --help        this text

`bench` hands all its arguments to the benchmark program, an initial `--` excepted.
Exit codes: 0 all steps passed, 1 some failed, 2 the command line makes no sense.
",
    );
    text
}

#[cfg(test)]
mod tests;

//! The project's chores, one command each: `cargo xtask --help`.
//!
//! The same commands serve people and the gate (`.ci/run`); there are no scripts beside them. A
//! command is a list of steps. A step runs other programs, most often `cargo`, and ends in one line
//! with its duration; a command goes on after a failed step and sums up at its end.

#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks on its standard streams"
)]

mod args;
mod steps;
mod workspace;

mod alone;
mod asan;
mod bench;
mod check;
mod ci;
mod examples;
mod fuzz;
mod loom;
mod ops;
mod soundness;
mod test;
mod tidy;

use std::process::ExitCode;

use crate::args::{Command, Options, Request};
use crate::steps::Steps;
use crate::workspace::Workspace;

/// The exit code for a command line that makes no sense.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    match args::parse(std::env::args().skip(1)) {
        Ok(Request::Help(text)) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Ok(Request::Run(options)) => run(&options),
        Err(message) => usage(&message),
    }
}

fn run(options: &Options) -> ExitCode {
    let chores = match Chores::new() {
        Ok(chores) => chores,
        Err(message) => {
            eprintln!("xtask: {message}");
            return ExitCode::FAILURE;
        }
    };
    let names = match chores.workspace.select(options.krate.as_deref()) {
        Ok(names) => names,
        Err(message) => return usage(&message),
    };
    let mut steps = Steps::new(options.strict);
    match options.command {
        Command::Check => check::run(&chores, &mut steps),
        Command::Test => test::run(&chores, &mut steps, &names),
        Command::Alone => alone::run(&chores, &mut steps, &names),
        Command::Loom => loom::run(&chores, &mut steps, &names),
        Command::Asan => asan::run(&chores, &mut steps, &names),
        Command::Soundness => soundness::run(&chores, &mut steps),
        Command::Fuzz => fuzz::run(&chores, &mut steps, &options.fuzz),
        Command::Examples => examples::run(&chores, &mut steps),
        Command::Ops => ops::run(&chores, &mut steps),
        Command::Bench => bench::run(&chores, &mut steps, &options.rest),
        Command::Ci => ci::run(&chores, &mut steps),
    }
    steps.finish()
}

fn usage(message: &str) -> ExitCode {
    eprintln!("xtask: {message}\nTry `cargo xtask --help`.");
    ExitCode::from(USAGE)
}

/// What every command works with.
#[derive(Debug)]
struct Chores {
    /// Runs programs, in the root of the workspace.
    sh: xshell::Shell,
    workspace: Workspace,
}

impl Chores {
    fn new() -> Result<Self, String> {
        let sh = xshell::Shell::new().map_err(|error| error.to_string())?;
        let workspace = Workspace::load(&sh)?;
        sh.change_dir(&workspace.root);
        Ok(Self { sh, workspace })
    }
}

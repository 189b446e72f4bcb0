//! `test`: all tests and doctests.
//!
//! With cargo-nextest where it is installed: each test has a process of its own there, so that a
//! test about signals or a crash cannot disturb others, and one that hangs is ended. Without it,
//! `cargo test` runs the same tests.

use xshell::{Shell, cmd};

use crate::Chores;
use crate::steps::{Steps, Stop};
use crate::workspace::Package;

/// The tests of `chosen` and of every crate that stands on one of them.
pub(crate) fn run(chores: &Chores, steps: &mut Steps, chosen: &[&Package]) {
    let packages = chores.workspace.with_those_above(chosen);
    let all = packages.len() == chores.workspace.packages.len();
    let with_docs = |package: &&Package| package.has_lib();
    let (mut units, mut docs) = (Vec::new(), Vec::new());
    if all {
        units.push("--workspace");
        docs.push("--workspace");
    } else {
        units.extend(flags(packages.iter().copied()));
        docs.extend(flags(packages.iter().copied().filter(with_docs)));
    }
    // Features that are off by default are tested too: none of them takes anything away.
    units.push("--all-features");
    steps.step("test: tests", || tests(&chores.sh, &units));
    if !docs.is_empty() {
        docs.push("--all-features");
        steps.step("test: doctests", || doctests(&chores.sh, &docs));
    }
}

/// Runs the tests that are no doctests, of the packages that `flags` choose; with `--lib` among the
/// flags, the unit tests alone, of which there may be none.
pub(crate) fn tests(sh: &Shell, flags: &[&str]) -> Result<(), Stop> {
    let only_units = flags.contains(&"--lib");
    let run = if has_nextest(sh) {
        let may_be_none = only_units.then_some("--no-tests=pass");
        cmd!(
            sh,
            "cargo nextest run --config-file xtask/nextest.toml {may_be_none...}"
        )
    } else {
        let all = (!only_units).then_some("--tests");
        cmd!(sh, "cargo test --no-fail-fast {all...}")
    };
    Ok(run.args(flags).run()?)
}

/// Whether cargo-nextest is installed.
pub(crate) fn has_nextest(sh: &Shell) -> bool {
    let version = cmd!(sh, "cargo nextest --version")
        .quiet()
        .ignore_stdout()
        .ignore_stderr();
    version.run().is_ok()
}

/// Runs the doctests of the packages that `flags` choose.
pub(crate) fn doctests(sh: &Shell, flags: &[&str]) -> Result<(), Stop> {
    Ok(cmd!(sh, "cargo test --no-fail-fast --doc {flags...}").run()?)
}

/// `-p NAME` for each package.
fn flags<'a>(packages: impl Iterator<Item = &'a Package>) -> impl Iterator<Item = &'a str> {
    packages.flat_map(|package| ["-p", package.name.as_str()])
}

//! `check`: what can be said about the code without running it.

use xshell::{Shell, cmd};

use crate::Chores;
use crate::steps::{Steps, Stop};
use crate::tidy::{File, externals, links, machine, ops_table, picture, unsafe_list};

/// Format, clippy, docs, and the rules of `tidy`, from the cheapest to the dearest.
pub(crate) fn run(chores: &Chores, steps: &mut Steps) {
    let sh = &chores.sh;
    steps.step("check: format", || {
        needs(sh, "fmt")?;
        Ok(cmd!(sh, "cargo fmt --all --check").run()?)
    });
    rules(chores, steps);
    steps.step("check: clippy", || {
        needs(sh, "clippy")?;
        Ok(cmd!(sh, "cargo clippy --workspace --all-targets -- -D warnings").run()?)
    });
    steps.step("check: clippy, all features", || {
        needs(sh, "clippy")?;
        let clippy = cmd!(
            sh,
            "cargo clippy --workspace --all-targets --all-features -- -D warnings"
        );
        Ok(clippy.run()?)
    });
    steps.step("check: docs", || {
        let docs = cmd!(
            sh,
            "cargo doc --workspace --all-features --no-deps --document-private-items"
        );
        Ok(docs.env("RUSTDOCFLAGS", "-D warnings").run()?)
    });
}

/// One step for each rule.
fn rules(chores: &Chores, steps: &mut Steps) {
    let workspace = &chores.workspace;
    steps.step("check: dependency picture", || {
        report(&picture::check(workspace))
    });
    steps.step("check: external dependencies", || {
        report(&externals::check(workspace))
    });
    if let Some(files) = steps.step("check: list of files", || Ok(File::all(&chores.sh)?)) {
        steps.step("check: unsafe list", || {
            report(&unsafe_list::check(workspace, &files))
        });
        steps.step("check: traces of a machine", || {
            report(&machine::check(&files))
        });
        steps.step("check: table of operations", || {
            report(&ops_table::check(&files))
        });
        steps.step("check: links", || report(&links::check(&files)));
    }
}

/// Prints the findings; none is what passes.
pub(crate) fn report(findings: &[String]) -> Result<(), Stop> {
    for finding in findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err(Stop::Failed("1 finding".to_owned())),
        count => Err(Stop::Failed(format!("{count} findings"))),
    }
}

/// Skips the step if this toolchain has no `cargo NAME`.
fn needs(sh: &Shell, name: &str) -> Result<(), Stop> {
    let version = cmd!(sh, "cargo {name} --version")
        .quiet()
        .ignore_stdout()
        .ignore_stderr();
    version
        .run()
        .map_err(|_| Stop::Skipped(format!("no cargo {name} here")))
}

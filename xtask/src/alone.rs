//! `alone`: each library crate built, tested and documented by itself.
//!
//! In a build of the whole workspace, cargo gives each dependency the features that any of its
//! users asked for. A crate that forgets to ask for one then compiles as long as a neighbor asks,
//! and fails for the people who use it without the neighbor. Building with `-p` finds that; a
//! plain build before the tests also finds what only a dev-dependency asked for.

use xshell::cmd;

use crate::steps::{Steps, Stop};
use crate::workspace::Package;
use crate::{Chores, test};

/// The library crates among `chosen`.
pub(crate) fn run(chores: &Chores, steps: &mut Steps, chosen: &[&Package]) {
    for package in chosen.iter().filter(|package| package.is_library) {
        one(chores, steps, package);
    }
}

fn one(chores: &Chores, steps: &mut Steps, package: &Package) {
    let sh = &chores.sh;
    let name = package.name.as_str();
    let step = |what: &str| format!("alone: {name}: {what}");
    steps.step(&step("build"), || {
        Ok(cmd!(sh, "cargo build -p {name}").run()?)
    });
    if package.has_default_features {
        steps.step(&step("build without default features"), || {
            Ok(cmd!(sh, "cargo build -p {name} --no-default-features").run()?)
        });
        steps.step(&step("unit tests without default features"), || {
            test::tests(sh, &["-p", name, "--lib", "--no-default-features"])
        });
    }
    steps.step(&step("tests"), || test::tests(sh, &["-p", name]));
    steps.step(&step("doctests"), || test::doctests(sh, &["-p", name]));
    if package.has_optional_features {
        let all = ["-p", name, "--all-features"];
        steps.step(&step("tests with all features"), || test::tests(sh, &all));
        steps.step(&step("doctests with all features"), || {
            test::doctests(sh, &all)
        });
    }
    steps.step(&step("docs"), || {
        let docs = cmd!(sh, "cargo doc -p {name} --no-deps").env("RUSTDOCFLAGS", "-D warnings");
        docs.run().map_err(Stop::from)
    });
}

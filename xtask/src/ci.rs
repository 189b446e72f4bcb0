//! `ci`: what must pass before a change lands.
//!
//! The library crates are tested by `alone`, each with the features it asks for itself; what is
//! not a library (benches, this tool) follows. Every step that shares flags shares one folder of
//! build products; loom, asan and fuzz have theirs, because their flags differ. The soundness suite
//! runs with the other tests, under asan, and once more optimized.

use xshell::cmd;

use crate::args::Fuzz;
use crate::steps::Steps;
use crate::workspace::Package;
use crate::{Chores, alone, asan, bench, check, examples, fuzz, loom, soundness, test};

pub(crate) fn run(chores: &Chores, steps: &mut Steps) {
    let sh = &chores.sh;
    let all: Vec<&Package> = chores.workspace.packages.iter().collect();
    steps.step("machine", || {
        cmd!(sh, "uname -srm").run()?;
        Ok(cmd!(sh, "rustc --version").run()?)
    });
    check::run(chores, steps);
    alone::run(chores, steps, &all);
    for package in all.iter().filter(|package| !package.is_library) {
        let name = package.name.as_str();
        steps.step(&format!("test: {name}"), || {
            test::tests(sh, &["-p", name])?;
            if package.has_lib() {
                test::doctests(sh, &["-p", name])
            } else {
                Ok(())
            }
        });
    }
    loom::run(chores, steps, &all);
    asan::run(chores, steps, &all);
    soundness::run(chores, steps);
    // A gate says the same twice; who looks for more runs it without a seed.
    let seed = Some(1);
    let fuzz = Fuzz {
        seed,
        ..Fuzz::default()
    };
    fuzz::run(chores, steps, &fuzz);
    examples::run(chores, steps);
    bench::smoke(chores, steps);
}

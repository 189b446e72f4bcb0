//! `fuzz`: random input for the targets in `crates/ringloop-proactor/fuzz`, under AddressSanitizer. One of
//! them is of the facade.
//!
//! Each target begins with the corpus that the repository keeps. What it finds on the way stays in the
//! folder of build products, where the next run goes on with it; `--keep` makes the smallest corpus
//! that covers as much of both, and that is the one to commit. It needs a nightly compiler and
//! cargo-fuzz, which is installed beside the build products where it is missing.

use std::env::consts::ARCH;
use std::path::{Path, PathBuf};

use xshell::{Shell, cmd};

use crate::Chores;
use crate::args::Fuzz;
use crate::asan::has_nightly;
use crate::steps::{Steps, Stop};

/// What can be fuzzed: the files in `fuzz_targets`.
const TARGETS: [Target; 3] = [
    Target {
        name: "programs",
        len_max: 1008,
        share: 5,
    },
    Target {
        name: "forms",
        len_max: 256,
        share: 1,
    },
    Target {
        name: "bytes",
        len_max: 1024,
        share: 1,
    },
];

#[derive(Debug)]
struct Target {
    name: &'static str,
    /// How long an input may be.
    len_max: usize,
    /// How much of the time it gets, beside the others.
    share: u32,
}

/// The fuzz crate: a workspace of its own.
const FOLDER: &str = "crates/ringloop-proactor/fuzz";

/// Runs one target, or all of them; the seconds are for all together.
pub(crate) fn run(chores: &Chores, steps: &mut Steps, options: &Fuzz) {
    let chosen: Vec<Target> = TARGETS
        .into_iter()
        .filter(|target| {
            options
                .target
                .as_deref()
                .is_none_or(|name| name == target.name)
        })
        .collect();
    if chosen.is_empty() {
        let names = TARGETS.map(|target| target.name).join(", ");
        let none = Stop::Failed(format!("no such target; there are {names}"));
        steps.step("fuzz", || Err::<(), _>(none));
        return;
    }
    let Some(fuzzer) = steps.step("fuzz: build", || Fuzzer::build(chores)) else {
        return;
    };
    let shares: u32 = chosen.iter().map(|target| target.share).sum();
    for target in chosen {
        let seconds = options.seconds / shares * target.share;
        let (name, run) = (target.name, Run::new(&fuzzer, &target));
        let ran = steps.step(&format!("fuzz: {name}"), || {
            run.fuzz(&chores.sh, seconds, options.seed)
        });
        if options.keep && ran.is_some() {
            steps.step(&format!("fuzz: {name}: keep"), || run.keep(&chores.sh));
        }
    }
}

/// Targets that are built.
#[derive(Debug)]
struct Fuzzer {
    /// Where the programs are.
    programs: PathBuf,
    /// What the fuzzer makes of its own.
    scratch: PathBuf,
    /// The corpora of the repository.
    kept: PathBuf,
    /// How LeakSanitizer knows what is lost on purpose.
    leaks: String,
}

impl Fuzzer {
    fn build(chores: &Chores) -> Result<Self, Stop> {
        let (sh, root) = (&chores.sh, &chores.workspace.root);
        if !has_nightly(sh) {
            return Err(Stop::Skipped("no nightly here".to_owned()));
        }
        let scratch = chores.workspace.target.join("fuzz");
        let cargo_fuzz = cargo_fuzz(sh, &scratch)?;
        let _toolchain = sh.push_env("RUSTUP_TOOLCHAIN", "nightly");
        let _folder = sh.push_env("CARGO_TARGET_DIR", &scratch);
        cmd!(sh, "{cargo_fuzz} fuzz build --fuzz-dir {FOLDER}").run()?;
        let list = root.join("xtask/lsan.txt");
        Ok(Self {
            programs: scratch.join(format!("{ARCH}-unknown-linux-gnu/release")),
            kept: root.join(FOLDER).join("corpus"),
            leaks: format!("print_suppressions=0:suppressions={}", list.display()),
            scratch,
        })
    }
}

/// The program of cargo-fuzz: the one that is installed, or one beside the build products.
fn cargo_fuzz(sh: &Shell, scratch: &Path) -> Result<PathBuf, Stop> {
    let works = |program: &Path| {
        let version = cmd!(sh, "{program} fuzz --version").quiet();
        version.ignore_stdout().ignore_stderr().run().is_ok()
    };
    let own = scratch.join("tools");
    for program in [PathBuf::from("cargo-fuzz"), own.join("bin/cargo-fuzz")] {
        if works(&program) {
            return Ok(program);
        }
    }
    cmd!(sh, "cargo install cargo-fuzz --locked --root {own}")
        .run()
        .map_err(|error| Stop::Skipped(format!("no cargo-fuzz here: {error}")))?;
    Ok(own.join("bin/cargo-fuzz"))
}

/// One target with its folders.
#[derive(Debug)]
struct Run<'a> {
    fuzzer: &'a Fuzzer,
    program: PathBuf,
    kept: PathBuf,
    /// The inputs of earlier runs here.
    found: PathBuf,
    len_max: usize,
}

impl<'a> Run<'a> {
    fn new(fuzzer: &'a Fuzzer, target: &Target) -> Self {
        Self {
            program: fuzzer.programs.join(target.name),
            kept: fuzzer.kept.join(target.name),
            found: fuzzer.scratch.join("corpus").join(target.name),
            fuzzer,
            len_max: target.len_max,
        }
    }

    /// Fuzzes for so long. An input that fails is written to where the output says.
    fn fuzz(&self, sh: &Shell, seconds: u32, seed: Option<u32>) -> Result<(), Stop> {
        sh.create_dir(&self.found)?;
        sh.create_dir(&self.kept)?;
        let artifacts = self.fuzzer.scratch.join("artifacts/");
        sh.create_dir(&artifacts)?;
        let artifacts = artifacts.display();
        let options = [
            format!("-max_total_time={seconds}"),
            // Zero stands for a new one each time.
            format!("-seed={}", seed.unwrap_or(0)),
            format!("-max_len={}", self.len_max),
            format!("-artifact_prefix={artifacts}"),
            "-len_control=0".to_owned(),
            "-timeout=20".to_owned(),
            "-print_final_stats=1".to_owned(),
            // A line for each new input, and for each function that it reaches, is too much to read.
            "-verbosity=0".to_owned(),
            "-print_funcs=0".to_owned(),
        ];
        let Self {
            program,
            found,
            kept,
            ..
        } = self;
        let run = cmd!(sh, "{program} {options...} {found} {kept}");
        Ok(run.env("LSAN_OPTIONS", &self.fuzzer.leaks).run()?)
    }

    /// Replaces the kept corpus by the smallest one that covers as much as all inputs do.
    fn keep(&self, sh: &Shell) -> Result<(), Stop> {
        let merged = self.fuzzer.scratch.join("merged");
        sh.remove_path(&merged)?;
        sh.create_dir(&merged)?;
        let Self {
            program,
            found,
            kept,
            len_max,
            ..
        } = self;
        let options = [
            "-set_cover_merge=1".to_owned(),
            // All of them have run before.
            "-detect_leaks=0".to_owned(),
            format!("-max_len={len_max}"),
        ];
        cmd!(sh, "{program} {options...} {merged} {found} {kept}").run()?;
        for old in sh.read_dir(kept)?.into_iter().filter(|old| is_unnamed(old)) {
            sh.remove_path(old)?;
        }
        for new in sh.read_dir(&merged)? {
            sh.copy_file(new, kept)?;
        }
        Ok(())
    }
}

/// Whether the fuzzer has named the input: by the hash of its content, in hexadecimal digits.
fn is_unnamed(input: &Path) -> bool {
    let name = input.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.len() == 40 && name.chars().all(|c| c.is_ascii_hexdigit()))
}

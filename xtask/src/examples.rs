//! `examples`: builds all examples, and runs those whose output is known.

use xshell::{Shell, cmd};

use crate::Chores;
use crate::steps::{Steps, Stop};

pub(crate) fn run(chores: &Chores, steps: &mut Steps) {
    let sh = &chores.sh;
    steps.step("examples", || {
        Ok(cmd!(sh, "cargo build --workspace --examples").run()?)
    });
    steps.step("examples: cat", || cat(sh));
    steps.step("examples: copy", || copy(sh));
    steps.step("examples: echo_multishot", || {
        let output = proactor(sh, "echo_multishot", &[]).read()?;
        expect("3 clients, 6000 bytes there and back", &output)
    });
    steps.step("examples: cancel_race", || {
        let output = proactor(sh, "cancel_race", &[]).read()?;
        expect(
            "2000 bytes sent, none lost",
            output.lines().last().unwrap_or_default(),
        )
    });
    steps.step("examples: virtual_time", || {
        let output = cmd!(
            sh,
            "cargo run --quiet -p ringloop-task --example virtual_time"
        )
        .read()?;
        expect(
            "12 h: watch 3 is over",
            output.lines().last().unwrap_or_default(),
        )
    });
    steps.step("examples: group", || {
        let output = cmd!(sh, "cargo run --quiet -p ringloop --example group").read()?;
        expect(
            "course 5 is served",
            output.lines().last().unwrap_or_default(),
        )
    });
    steps.step("examples: under_tokio", || {
        let output = cmd!(
            sh,
            "cargo run --quiet -p ringloop-offload --example under_tokio"
        )
        .read()?;
        expect(
            "the squares add up to 333833500",
            output.lines().next().unwrap_or_default(),
        )
    });
}

fn cat(sh: &Shell) -> Result<(), Stop> {
    let folder = sh.create_temp_dir()?;
    let file = folder.path().join("input");
    let text = "a line of text\n".repeat(20_000);
    sh.write_file(&file, &text)?;
    let file = file.to_string_lossy();
    let from_standard_input = "and standard input";
    let output = proactor(sh, "cat", &[&file, "-", &file]).stdin(from_standard_input);
    let output = output.read()?;
    // The shell takes the last line break away.
    let expected = format!("{text}{from_standard_input}{text}");
    expect(expected.trim_end(), &output)
}

fn copy(sh: &Shell) -> Result<(), Stop> {
    let folder = sh.create_temp_dir()?;
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    // More than a few pieces, and no whole number of them.
    let bytes: Vec<u8> = (0..250).cycle().take(1_500_001).collect();
    sh.write_file(&from, &bytes)?;
    let (source, target) = (from.to_string_lossy(), to.to_string_lossy());
    let output = proactor(sh, "copy", &[&source, &target]).read()?;
    expect("1500001 bytes", &output)?;
    if sh.read_binary_file(&to)? != bytes {
        return Err(Stop::Failed("the copy differs".to_owned()));
    }
    Ok(())
}

/// An example of the proactor, to be run.
fn proactor<'a>(sh: &'a Shell, name: &str, arguments: &[&str]) -> xshell::Cmd<'a> {
    cmd!(
        sh,
        "cargo run --quiet -p ringloop-proactor --example {name} -- {arguments...}"
    )
}

/// Compares what a program has printed with what it should.
fn expect(expected: &str, output: &str) -> Result<(), Stop> {
    if expected == output {
        return Ok(());
    }
    let start = |text: &str| text.chars().take(200).collect::<String>();
    let (expected, output) = (start(expected), start(output));
    Err(Stop::Failed(format!(
        "expected `{expected}`, but it printed `{output}`"
    )))
}

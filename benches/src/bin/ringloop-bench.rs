//! Prints what ringloop costs on this machine, beside the bare ring and tokio.

#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use ringloop_benches::benchmarks::{BENCHMARKS, Setting};
use ringloop_benches::contestants::{self, Contestant};
use ringloop_benches::icount;
use ringloop_benches::options::{Command, HELP, Options};
use ringloop_benches::process;
use ringloop_benches::progress::Progress;
use ringloop_benches::report::{LEGEND, Machine, Record, Table};
use ringloop_benches::runner;
use ringloop_benches::server;

fn main() -> ExitCode {
    let command = match Command::parse(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(message) => return complain(&format!("{message}\n\n{HELP}"), 2),
    };
    let result = match command {
        Command::Help => print(HELP),
        Command::List => print(&list()),
        Command::Serve {
            contestant,
            cpu,
            connections,
        } => server::serve(&*contestant, cpu, connections),
        Command::Measure(options) => measure(&options),
        _ => Err(io::Error::other("a command without a meaning")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the table has seen enough of it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => complain(&format!("{error}\n"), 1),
    }
}

fn measure(options: &Options) -> io::Result<()> {
    if options.realtime {
        process::go_realtime().map_err(|error| {
            io::Error::new(error.kind(), format!("no realtime priority: {error}"))
        })?;
    }
    // Before the work of minutes, not after it.
    let file = options.json.as_deref().map(create).transpose()?;
    let setting = Setting::new(options.quick)?;
    let contestants = contestants::all();
    let machine = Machine::look(setting.cores);
    let table = Table::new(&contestants);
    let mut record = Record::new(&machine, &contestants, options);
    let mut progress = Progress::new();
    print(&format!("{}\n\n{}", machine.describe(), table.header()))?;
    for benchmark in &options.benchmarks {
        let outcome = runner::run(
            benchmark,
            &contestants,
            &setting,
            options.rounds,
            &mut progress,
        )?;
        progress.clear();
        print(&table.rows(&outcome))?;
        record.add(&outcome);
    }
    if options.icount {
        count_instructions(&contestants, &setting, &table, &mut record, &mut progress)?;
    }
    print(&format!("\n{LEGEND}"))?;
    if let Some(mut file) = file {
        file.write_all(record.to_text().as_bytes())?;
    }
    Ok(())
}

fn count_instructions(
    contestants: &[Box<dyn Contestant>],
    setting: &Setting,
    table: &Table,
    record: &mut Record,
    progress: &mut Progress,
) -> io::Result<()> {
    if !icount::is_available() {
        record.skip_instructions("no valgrind");
        return print("user instructions: skipped: no valgrind\n");
    }
    let mut counts = Vec::new();
    for contestant in contestants {
        progress.note(&format!("counting instructions: {}", contestant.name()));
        counts.push(icount::count(&**contestant, setting)?);
    }
    progress.clear();
    record.add_instructions(&counts);
    print(&table.instructions(&counts))
}

fn create(path: &Path) -> io::Result<File> {
    File::create(path).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot write {}: {error}", path.display()),
        )
    })
}

fn list() -> String {
    let line = |name, about| format!("{name:<11} {about}\n");
    BENCHMARKS
        .iter()
        .map(|benchmark| line(benchmark.name, benchmark.about))
        .collect()
}

fn print(text: &str) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes())?;
    output.flush()
}

fn complain(message: &str, code: u8) -> ExitCode {
    // Without an error output there is nobody to complain to; the code still tells.
    let _unheard = write!(io::stderr().lock(), "ringloop-bench: {message}");
    ExitCode::from(code)
}

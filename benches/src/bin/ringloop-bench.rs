//! Prints what ringloop costs on this machine, beside the bare ring and others of its kind.

#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use ringloop_benches::benchmarks::{self, Benchmark, Setting};
use ringloop_benches::contestants::Level;
use ringloop_benches::icount;
use ringloop_benches::options::{Command, HELP, Options};
use ringloop_benches::process;
use ringloop_benches::progress::Progress;
use ringloop_benches::report::{LEGEND, Machine, Record, Table, gaps};
use ringloop_benches::runner::{self, Gap};
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
            service,
            connections,
        } => server::serve(&*contestant, cpu, (service, connections)),
        Command::Work {
            benchmark,
            contestant,
            count,
        } => server::work(benchmark, &*contestant, count),
        Command::Measure(options) => measure(&options),
        _ => Err(io::Error::other("a command without a meaning")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the table has seen enough of it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            complain(&format!("{error}\n"), server::UNSUPPORTED)
        }
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
    let machine = Machine::look(setting.cores);
    let mut run = Run {
        options,
        setting,
        record: Record::new(&machine, options),
        progress: Progress::new(),
        gaps: Vec::new(),
    };
    print(&format!("{}\n", machine.describe()))?;
    for level in Level::ALL {
        run.level(level)?;
    }
    print(&format!("\n{LEGEND}{}", gaps(&run.gaps)))?;
    if let Some(mut file) = file {
        file.write_all(run.record.to_text().as_bytes())?;
    }
    Ok(())
}

/// A run that is under way.
struct Run<'o> {
    options: &'o Options,
    setting: Setting,
    record: Record,
    progress: Progress,
    gaps: Vec<Gap>,
}

impl Run<'_> {
    /// Measures what is asked for on one level: a table of its own.
    fn level(&mut self, level: Level) -> io::Result<()> {
        let is_here = |benchmark: &&&Benchmark| benchmark.level == level;
        let contestants = level.contestants();
        let table = Table::new(level);
        let measured: Vec<_> = self.options.benchmarks.iter().filter(is_here).collect();
        let counted: Vec<_> = self.options.counted.iter().filter(is_here).collect();
        if measured.is_empty() && counted.is_empty() {
            return Ok(());
        }
        print(&format!("\n{}", table.header()))?;
        for benchmark in measured {
            let rounds = self.options.rounds;
            let progress = &mut self.progress;
            let outcome = runner::run(benchmark, &contestants, &self.setting, rounds, progress)?;
            self.progress.clear();
            print(&table.rows(&outcome))?;
            self.record.add(&outcome);
            self.gaps.extend(outcome.gaps);
        }
        if counted.is_empty() {
            return Ok(());
        }
        if !icount::is_available() {
            self.record.skip_instructions("no valgrind");
            return print("user instructions: skipped: no valgrind\n");
        }
        for benchmark in counted {
            self.count_instructions(benchmark, &table)?;
        }
        Ok(())
    }

    fn count_instructions(&mut self, benchmark: &Benchmark, table: &Table) -> io::Result<()> {
        let mut counts = Vec::new();
        for contestant in benchmark.level.contestants() {
            let name = contestant.name();
            let note = format!("counting instructions: {}, {name}", benchmark.name);
            self.progress.note(&note);
            counts.push(
                match icount::count(benchmark, &*contestant, &self.setting) {
                    Err(error) if error.kind() == io::ErrorKind::Unsupported => None,
                    count => Some(count?),
                },
            );
        }
        self.progress.clear();
        self.record.add_instructions(benchmark, &counts);
        print(&table.instructions(benchmark.name, &counts))
    }
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
    let line = |benchmark: &Benchmark| {
        let mark = if benchmark.counted.is_some() {
            'i'
        } else {
            ' '
        };
        format!("{:<12} {mark} {}\n", benchmark.name, benchmark.about)
    };
    benchmarks::all().map(line).collect()
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

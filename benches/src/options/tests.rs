use super::*;

fn parse(line: &str) -> Result<Command, String> {
    Command::parse(line.split_whitespace().map(OsString::from))
}

fn options(line: &str) -> Options {
    match parse(line) {
        Ok(Command::Measure(options)) => options,
        other => panic!("{line}: {other:?}"),
    }
}

fn names(line: &str) -> Vec<&'static str> {
    options(line)
        .benchmarks
        .iter()
        .map(|benchmark| benchmark.name)
        .collect()
}

fn refused(line: &str, part: &str) {
    let message = parse(line).unwrap_err();
    assert!(message.contains(part), "{line}: {message}");
}

#[test]
fn everything_runs_without_options() {
    let options = options("");
    assert_eq!(options.benchmarks.len(), BENCHMARKS.len());
    assert_eq!(
        (options.quick, options.rounds, options.icount),
        (false, 7, false)
    );
    assert!(options.json.is_none() && !options.realtime);
}

#[test]
fn options_are_taken() {
    let options = options("--quick --json out.json --icount --realtime");
    assert_eq!(
        (options.quick, options.rounds, options.icount),
        (true, 3, true)
    );
    assert_eq!(options.json, Some(PathBuf::from("out.json")));
    assert!(options.benchmarks.is_empty() && options.realtime);
}

#[test]
fn only_takes_exact_names_first_and_parts_otherwise() {
    assert_eq!(names("--only timer"), ["timer"]);
    assert_eq!(names("--only yield"), ["yield-1", "yield-64"]);
    assert_eq!(
        names("--only wake --only echo"),
        ["echo-1", "echo-64", "wake"]
    );
    assert_eq!(names("--icount --only wake"), ["wake"]);
}

#[test]
fn mistakes_are_refused() {
    refused("--fast", "unknown option --fast");
    refused("echo", "unknown option echo");
    refused("--only", "--only needs a value");
    refused("--only nonsense", "no benchmark is called \"nonsense\"");
    refused("--rounds 0", "1 to 1000");
    refused("--rounds many", "1 to 1000");
    refused("--json", "--json needs a value");
    refused("serve nobody 0 1", "no contestant nobody");
    refused("serve floor 0", "serve needs a value");
}

#[test]
fn help_list_and_serve_are_commands() {
    assert!(matches!(parse("--quick --help"), Ok(Command::Help)));
    assert!(matches!(parse("--list"), Ok(Command::List)));
    let serve = parse("serve floor 1 64").unwrap();
    assert!(matches!(
        serve,
        Command::Serve {
            cpu: 1,
            connections: 64,
            ..
        }
    ));
}

#[test]
fn names_are_unique() {
    for (index, benchmark) in BENCHMARKS.iter().enumerate() {
        assert!(
            BENCHMARKS[..index]
                .iter()
                .all(|other| other.name != benchmark.name)
        );
    }
}

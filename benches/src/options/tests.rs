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
    assert_eq!(options.benchmarks.len(), benchmarks::all().count());
    assert_eq!((options.quick, options.rounds), (false, 7));
    assert!(options.json.is_none() && options.counted.is_empty() && !options.realtime);
}

#[test]
fn options_are_taken() {
    let options = options("--quick --json out.json --icount --realtime");
    assert_eq!((options.quick, options.rounds), (true, 3));
    assert_eq!(options.json, Some(PathBuf::from("out.json")));
    assert!(options.benchmarks.is_empty() && options.realtime);
    assert!(options.counted.len() > 1);
}

#[test]
fn only_takes_exact_names_first_and_parts_otherwise() {
    assert_eq!(names("--only timer"), ["timer"]);
    assert_eq!(names("--only yield-"), ["yield-1", "yield-64"]);
    assert_eq!(
        names("--only wake --only op-echo-"),
        ["wake", "op-echo-1", "op-echo-64"]
    );
    assert_eq!(names("--icount --only op-nop"), ["op-nop"]);
    assert!(names("--only task-").len() > 10);
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
    refused("--icount --only wake", "--icount counts nothing of that");
    refused("work op-nop nobody 1", "no contestant nobody");
    refused("work nothing ring 1", "no benchmark nothing");
    refused("serve nobody 0 sink:0 1", "no contestant nobody");
    refused("serve multi 0 rest 1", "no service rest");
    refused("serve multi 0", "serve needs a value");
}

#[test]
fn help_list_and_serve_are_commands() {
    assert!(matches!(parse("--quick --help"), Ok(Command::Help)));
    assert!(matches!(parse("--list"), Ok(Command::List)));
    assert!(matches!(
        parse("work op-nop ring 7"),
        Ok(Command::Work { count: 7, .. })
    ));
    let serve = parse("serve multi 1 echo:4096 64").unwrap();
    assert!(matches!(
        serve,
        Command::Serve {
            cpu: 1,
            service: Service::Echo(4096),
            connections: 64,
            ..
        }
    ));
}

#[test]
fn names_are_unique() {
    let mut names: Vec<_> = benchmarks::all().map(|benchmark| benchmark.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
}

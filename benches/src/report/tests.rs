use serde_json::Value;

use super::*;
use crate::benchmarks;
use crate::contestants::Level;
use crate::options::Options;
use crate::runner::{Gap, Outcome, Series};

fn gap(benchmark: &'static str) -> Gap {
    Gap {
        benchmark,
        contestant: "tokio",
        reason: "cannot rest".to_owned(),
    }
}

fn outcome() -> Outcome {
    outcome_of("sleep")
}

fn outcome_of(name: &str) -> Outcome {
    let benchmark = benchmarks::by_name(name).unwrap();
    let contestants = benchmark.level.contestants();
    let column = |(place, name)| {
        let values = if name == "tokio" {
            Vec::new()
        } else {
            vec![f64::from(place) + 1.5; 3]
        };
        Series {
            contestant: name,
            values,
        }
    };
    let row: Vec<_> = (0_u32..).zip(names(&contestants)).map(column).collect();
    Outcome {
        benchmark,
        series: vec![row.clone(), row],
        gaps: ["sleep", "timer"].map(gap).to_vec(),
    }
}

#[test]
fn pairs_compare_each_with_all_before_it() {
    assert_eq!(pairs(3).collect::<Vec<_>>(), [(1, 0), (2, 0), (2, 1)]);
    assert_eq!(pairs(0).count(), 0);
}

#[test]
fn rows_are_as_wide_as_the_header_and_show_gaps() {
    let table = Table::new(Level::Runtime);
    let header = table.header();
    let width = header.lines().next().unwrap().len();
    let rows = table.rows(&outcome());
    assert_eq!(rows.lines().count(), 2);
    assert!(rows.lines().all(|row| row.len() == width), "{header}{rows}");
    assert!(
        rows.starts_with("sleep ") && rows.contains(" 1.50 ") && rows.contains(" - "),
        "{rows}"
    );
    let row = table.instructions("spawn-join", &[Some(1234.0), None, Some(1.0)]);
    assert_eq!(row.trim_end().len(), width);
    assert!(row.contains(" 1234 ") && row.contains(" - "), "{row}");
}

#[test]
fn ours_are_compared_with_the_best_of_the_others() {
    let table = Table::new(Level::Task);
    let header = table.header();
    let width = header.lines().next().unwrap().len();
    assert!(header.contains(" facade/best  task/best "), "{header}");
    let rows = table.rows(&outcome_of("task-sleep"));
    assert!(rows.lines().all(|row| row.len() == width), "{header}{rows}");
    assert!(rows.contains("  tokio-local "), "{rows}");
    let nobody = table.instructions("task-eager", &[None; 7]);
    assert_eq!(nobody.trim_end().len(), width);
}

#[test]
fn ours_are_compared_with_the_floor_where_there_is_one_beside_the_best() {
    let table = Table::new(Level::Sync);
    let header = table.header();
    let width = header.lines().next().unwrap().len();
    for ratio in [" facade-sync/best ", " facade-sync/bare "] {
        assert!(header.contains(ratio), "{header}");
    }
    let rows = table.rows(&outcome_of("sync-event"));
    assert!(rows.lines().all(|row| row.len() == width), "{header}{rows}");
    // The floor is the best of all, and not among those that are looked at.
    assert!(rows.contains("  tokio-sync "), "{rows}");
}

#[test]
fn the_best_of_several_floors_is_named() {
    let table = Table::new(Level::Net);
    let header = table.header();
    let width = header.lines().next().unwrap().len();
    for title in [" ringloop-net/best ", " ringloop-net/floor ", " floor "] {
        assert!(header.contains(title), "{header}");
    }
    let rows = table.rows(&outcome_of("net-connect"));
    assert!(rows.lines().all(|row| row.len() == width), "{header}{rows}");
    assert!(rows.contains("  blocking  "), "{rows}");
}

#[test]
fn of_several_floors_the_one_with_the_best_median_counts() {
    let series = |contestant, values: &[f64]| Series {
        contestant,
        values: values.to_vec(),
    };
    let all = [
        series("steady", &[3.0, 3.0, 3.0]),
        series("restless", &[1.0, 9.0, 9.0]),
        series("other", &[5.0, 5.0, 5.0]),
        series("ours", &[6.0, 6.0, 6.0]),
    ];
    let rivals = Rivals::find(&all, &[3], &[0, 1], false);
    assert_eq!(rivals.floor.unwrap().values, [3.0, 3.0, 3.0]);
    assert_eq!(rivals.best.unwrap().contestant, "other");
}

#[test]
fn the_best_is_the_least_of_each_round() {
    let series = |contestant, values: &[f64]| Series {
        contestant,
        values: values.to_vec(),
    };
    let all = [
        series("steady", &[3.0, 3.0, 3.0]),
        series("absent", &[]),
        series("restless", &[1.0, 9.0, 9.0]),
        series("ours", &[0.5, 0.5, 0.5]),
    ];
    let least = best(&all, &[0, 1, 2], false).unwrap();
    assert_eq!(least.contestant, "steady");
    assert_eq!(least.values, [1.0, 3.0, 3.0]);
    assert_eq!(all[3].ratio_to(&least), Some(0.5 / 3.0));
    let most = best(&all, &[0, 1, 2], true).unwrap();
    assert_eq!(
        (most.contestant, &*most.values),
        ("restless", &[3.0, 9.0, 9.0][..])
    );
    assert!(best(&all, &[1], false).is_none());
}

#[test]
fn gaps_with_one_reason_share_a_line() {
    assert_eq!(
        gaps(&outcome().gaps),
        "-: tokio cannot rest (sleep, timer)\n"
    );
}

#[test]
fn record_holds_what_the_table_shows() {
    let machine = Machine::look(Cores::pick().unwrap());
    let options = Options {
        benchmarks: Vec::new(),
        counted: Vec::new(),
        json: None,
        quick: true,
        rounds: 3,
        realtime: false,
    };
    let mut record = Record::new(&machine, &options);
    record.add(&outcome());
    let echo = benchmarks::by_name("net-echo-64").unwrap();
    record.add_instructions(echo, &[None, Some(1.0)]);
    let value: Value = serde_json::from_str(&record.to_text()).unwrap();
    assert_eq!(value["results"][0]["contestants"]["floor"]["median"], 1.5);
    assert_eq!(
        value["results"][0]["contestants"]["tokio"]["median"],
        Value::Null
    );
    assert_eq!(value["results"][1]["figure"], "late p99");
    assert_eq!(value["results"][0]["ratios"]["tokio/floor"], Value::Null);
    assert_eq!(value["gaps"][1]["reason"], "cannot rest");
    assert_eq!(value["contestants"]["op"][0], "ring");
    let counts = &value["instructions"][0]["contestants"];
    assert_eq!(counts["single"], 1.0);
    assert_eq!(counts["blocking"], Value::Null);
    record.skip_instructions("no valgrind");
    let value: Value = serde_json::from_str(&record.to_text()).unwrap();
    assert_eq!(value["instructions"]["skipped"], "no valgrind");
}

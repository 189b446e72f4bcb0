use serde_json::Value;

use super::*;
use crate::benchmarks::BENCHMARKS;
use crate::contestants;
use crate::options::Options;
use crate::runner::{Outcome, Series};

fn outcome() -> Outcome {
    let benchmark = BENCHMARKS
        .iter()
        .find(|benchmark| benchmark.name == "sleep")
        .unwrap();
    let contestants = contestants::all();
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
    }
}

#[test]
fn pairs_compare_each_with_all_before_it() {
    assert_eq!(pairs(3).collect::<Vec<_>>(), [(1, 0), (2, 0), (2, 1)]);
    assert_eq!(pairs(0).count(), 0);
}

#[test]
fn rows_are_as_wide_as_the_header_and_show_gaps() {
    let table = Table::new(&contestants::all());
    let header = table.header();
    let width = header.lines().next().unwrap().len();
    let rows = table.rows(&outcome());
    assert_eq!(rows.lines().count(), 2);
    assert!(rows.lines().all(|row| row.len() == width), "{header}{rows}");
    assert!(
        rows.starts_with("sleep ") && rows.contains(" 1.50 ") && rows.contains(" - "),
        "{rows}"
    );
    let counts = vec![1234.0; contestants::all().len()];
    assert_eq!(table.instructions(&counts).trim_end().len(), width);
}

#[test]
fn record_holds_what_the_table_shows() {
    let contestants = contestants::all();
    let machine = Machine::look(Cores::pick().unwrap());
    let options = Options {
        benchmarks: Vec::new(),
        json: None,
        quick: true,
        rounds: 3,
        icount: false,
        realtime: false,
    };
    let mut record = Record::new(&machine, &contestants, &options);
    record.add(&outcome());
    record.skip_instructions("no valgrind");
    let value: Value = serde_json::from_str(&record.to_text()).unwrap();
    assert_eq!(value["results"][0]["contestants"]["floor"]["median"], 1.5);
    assert_eq!(
        value["results"][0]["contestants"]["tokio"]["median"],
        Value::Null
    );
    assert_eq!(value["results"][1]["figure"], "late p99");
    assert_eq!(value["results"][0]["ratios"]["tokio/floor"], Value::Null);
    assert_eq!(value["instructions"]["skipped"], "no valgrind");
}

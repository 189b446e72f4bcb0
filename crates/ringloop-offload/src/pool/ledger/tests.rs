use super::*;

fn ran(abandoned: bool, panicked: bool) -> Performed {
    Performed::Ran {
        abandoned,
        panicked,
    }
}

#[test]
fn what_became_of_a_job_is_counted_once_and_outlives_the_worker() {
    let mut ledger = Ledger::default();
    let desks = [ledger.open_desk(0), ledger.open_desk(1)];
    let [waited, took] = [3, 40].map(Duration::from_micros);
    for desk in &desks {
        for performed in [
            Performed::NotRun,
            ran(false, false),
            ran(false, true),
            ran(true, false),
            ran(true, true),
        ] {
            desk.count(performed, waited, took);
        }
    }
    for left in 0..=desks.len() {
        let counts = ledger.counts();
        assert_eq!(
            (counts.completed, counts.panicked, counts.abandoned),
            (2, 4, 2)
        );
        assert_eq!(counts.wait_times.count(), 8);
        assert_eq!(counts.wait_times.sum(), waited * 8);
        assert_eq!(counts.run_times.sum(), took * 8);
        assert_eq!(counts.run_times.max(), took);
        if let Some(desk) = desks.get(left) {
            ledger.close_desk(desk);
        }
    }
}

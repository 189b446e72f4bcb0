use ringloop_proactor::sim::Faults;

use super::echo;

/// Runs the echo with one thing going wrong, most of the time, and checks that it did.
fn check(name: &str, fault: fn(&mut Faults)) {
    let calm = echo::run(3, Faults::none()).simulation.trace();
    let mut faults = Faults::none();
    fault(&mut faults);
    let mut has_happened = false;
    for seed in 0..5 {
        let outcome = echo::run(seed, faults.clone());
        assert_eq!(outcome.echoed, echo::TOTAL, "{name}, seed {seed}");
        has_happened |= outcome.simulation.trace() != calm;
    }
    assert!(has_happened, "{name}");
}

#[test]
fn nothing_is_lost_whatever_goes_wrong_all_the_time() {
    check("short", |faults| faults.short = OFTEN);
    check("delay", |faults| faults.delay = OFTEN);
    check("late", |faults| faults.late = OFTEN);
    check("reorder", |faults| faults.reorder = OFTEN);
    check("enter", |faults| faults.enter = OFTEN);
    check("partial", |faults| faults.partial = OFTEN);
    check("interrupt", |faults| {
        // Where nothing is delayed, nothing is waited for.
        faults.delay = OFTEN;
        faults.interrupt = OFTEN;
    });
    check("cancel_race", |faults| faults.cancel_race = OFTEN);
    check("overflow", |faults| faults.overflow = OFTEN);
    check("no_buffers", |faults| faults.no_buffers = OFTEN);
    check("no_descriptors", |faults| faults.no_descriptors = OFTEN);
    check("end_early", |faults| faults.end_early = OFTEN);
}

const OFTEN: u16 = 600;

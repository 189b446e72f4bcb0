use ringloop_proactor::sim::Faults;

use super::echo;

#[test]
fn the_same_seed_has_the_same_trace() {
    for seed in [0, 1, 0xdead_beef] {
        let [first, second] =
            [(); 2].map(|()| echo::run(seed, echo::lossless()).simulation.trace());
        assert!(first.lines().count() > 100);
        assert_eq!(first, second, "seed {seed}");
    }
}

#[test]
fn another_seed_has_another_trace() {
    let [first, second] = [1, 2].map(|seed| echo::run(seed, echo::lossless()).simulation.trace());
    assert_ne!(first, second);
}

#[test]
fn without_faults_the_seed_decides_nothing() {
    let [first, second] = [1, 2].map(|seed| echo::run(seed, Faults::none()).simulation.trace());
    assert_eq!(first, second);
}

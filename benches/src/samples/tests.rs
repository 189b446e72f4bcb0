use super::*;

#[test]
fn percentiles_are_ranks_of_the_sorted_list() {
    let mut samples = Samples::with_capacity(1000);
    for us in (1..=1000).rev() {
        samples.push(Duration::from_micros(us));
    }
    assert_eq!(
        samples.percentiles_us([500, 990, 999, 1000]),
        [500.0, 990.0, 999.0, 1000.0]
    );
}

#[test]
fn percentiles_of_few_and_of_none() {
    let mut samples = Samples::default();
    assert_eq!(samples.percentiles_us([500]), [0.0]);
    samples.push(Duration::from_micros(7));
    assert_eq!(samples.percentiles_us([0, 500, 999]), [7.0; 3]);
    samples.push(Duration::from_micros(5));
    assert_eq!(samples.total(), Duration::from_micros(12));
}

#[test]
fn median_of_odd_even_and_none() {
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    assert_eq!(median(&[]), None);
}

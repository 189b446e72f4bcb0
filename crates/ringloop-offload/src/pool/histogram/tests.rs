use super::*;

#[test]
fn buckets_follow_each_other_without_a_gap() {
    let mut next = 0;
    for bucket in 0..BUCKETS {
        let last = last_of(bucket);
        assert_eq!(bucket_of(next), bucket);
        assert_eq!(bucket_of(last), bucket);
        // The width is a quarter of the first value or less.
        assert!(last - next <= next / 4, "{next} to {last}");
        next = last.wrapping_add(1);
    }
    assert_eq!(next, 0, "the last bucket ends with the largest value");
}

#[test]
fn an_empty_histogram_is_all_zero() {
    let histogram = Histogram::new();
    assert_eq!(histogram.count(), 0);
    for value in [
        histogram.sum(),
        histogram.max(),
        histogram.mean(),
        histogram.percentile(99.0),
    ] {
        assert_eq!(value, Duration::ZERO);
    }
}

#[test]
fn percentiles_are_at_most_a_quarter_too_high() {
    let mut histogram = Histogram::new();
    for ns in 1..=1000 {
        histogram.record(Duration::from_nanos(ns));
    }
    assert_eq!(histogram.count(), 1000);
    assert_eq!(histogram.sum(), Duration::from_nanos(500_500));
    assert_eq!(histogram.mean(), Duration::from_nanos(500));
    for percent in 1..=100_u32 {
        let exact = Duration::from_nanos(u64::from(percent) * 10);
        let told = histogram.percentile(f64::from(percent));
        assert!(
            told >= exact && told <= exact * 5 / 4,
            "{percent}: {exact:?}, {told:?}"
        );
    }
    assert_eq!(histogram.percentile(100.0), histogram.max());
    assert_eq!(histogram.percentile(0.0), Duration::from_nanos(1));
    assert_eq!(histogram.percentile(f64::NAN), Duration::from_nanos(1));
    assert_eq!(histogram.percentile(-1.0), histogram.percentile(0.0));
    assert_eq!(histogram.percentile(1e9), histogram.percentile(100.0));
}

#[test]
fn the_longest_durations_fit() {
    let mut histogram = Histogram::new();
    histogram.record(Duration::MAX);
    histogram.record(Duration::ZERO);
    assert_eq!(histogram.max(), Duration::from_nanos(u64::MAX));
    assert_eq!(histogram.percentile(100.0), histogram.max());
    assert_eq!(histogram.percentile(50.0), Duration::ZERO);
}

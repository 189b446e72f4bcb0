use super::*;

fn series(values: &[f64]) -> Series {
    Series {
        contestant: "someone",
        values: values.to_vec(),
    }
}

#[test]
fn ratio_is_taken_round_by_round() {
    // The machine slows down by ten; the ratio is two in every round all the same.
    let ratio = series(&[2.0, 20.0, 200.0]).ratio_to(&series(&[1.0, 10.0, 100.0]));
    assert_eq!(ratio, Some(2.0));
}

#[test]
fn a_gap_has_no_figures() {
    assert_eq!(series(&[]).ratio_to(&series(&[1.0])), None);
    assert_eq!(series(&[1.0]).ratio_to(&series(&[0.0])), None);
    assert_eq!(series(&[]).median(), None);
    assert_eq!(series(&[]).range(), None);
}

#[test]
fn range_is_smallest_and_largest() {
    assert_eq!(series(&[3.0, 1.0, 2.0]).range(), Some((1.0, 3.0)));
}

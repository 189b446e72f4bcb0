use super::*;

#[test]
fn grains_differ_by_half_at_most_and_by_their_number() {
    let grain = Grain { steps: 4000 };
    let steps = |number: u32| {
        let part = u64::from(number.wrapping_mul(SPREAD) >> 16);
        3000 + ((2000 * part) >> 16)
    };
    for number in 0..100 {
        assert!((3000..5000).contains(&steps(number)));
        assert_eq!(
            grain.run(number),
            compute(u64::from(number) + 1, steps(number))
        );
    }
    assert_ne!(grain.run(1), grain.run(2));
    assert!(Grain::of(Duration::from_micros(10)).steps > 1);
}

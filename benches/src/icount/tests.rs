use super::*;

#[test]
fn count_is_found_in_callgrinds_output() {
    let output = "==7== Callgrind\n==7== Events    : Ir\n==7== Collected : 1234\n==7==\n";
    assert_eq!(collected(output).unwrap(), 1234);
    assert!(collected("==7== Callgrind\n").is_err());
}

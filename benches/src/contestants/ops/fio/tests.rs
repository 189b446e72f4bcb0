use super::*;

#[test]
fn figures_are_found_in_fios_output() {
    let output = br#"fio: a remark
{ "jobs": [ { "read": { "total_ios": 5000, "runtime": 250 } } ] }"#;
    let figures = told(output).unwrap();
    assert_eq!(figures.operations, 5000);
    assert_eq!(figures.elapsed, Duration::from_millis(250));
    assert!(told(b"fio: nothing").is_none());
    assert!(told(b"{}").is_none());
}

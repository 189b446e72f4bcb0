use super::*;

#[test]
fn count_is_found_in_straces_summary() {
    let output = "% time     seconds  usecs/call     calls    errors syscall\n\
        ------ ----------- ----------- --------- --------- ----------------\n\
        100.00    0.012345          12      1003         2 io_uring_enter\n\
        ------ ----------- ----------- --------- --------- ----------------\n\
        100.00    0.012345          12      1003         2 total\n";
    assert_eq!(calls(output), Some(1003));
    assert_eq!(calls("strace: nothing\n"), None);
}

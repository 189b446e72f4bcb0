use std::process::Command;

use super::LocalRefs;

#[test]
fn counts_up_and_down_and_takes_over() {
    let refs = LocalRefs::new(1);
    refs.add_one();
    refs.add(-5);
    refs.remove_one();
    assert_eq!(refs.get(), -4);
    refs.add(4 + i64::from(i32::MAX));
    assert_eq!(refs.get(), i64::from(i32::MAX));
}

/// F53: the process ends before a count wraps. It takes a process to see that.
#[test]
fn count_that_would_wrap_ends_the_process() {
    const STEP: &str = "RINGLOOP_TEST_WRAP";
    match std::env::var(STEP).as_deref() {
        Ok("up") => return LocalRefs::new(i32::MAX).add_one(),
        Ok("down") => return LocalRefs::new(i32::MIN).remove_one(),
        Ok("over") => return LocalRefs::new(0).add(i64::from(i32::MAX) + 1),
        _ => {}
    }
    let this = std::env::current_exe().expect("the test knows its program");
    for step in ["up", "down", "over"] {
        let status = Command::new(&this)
            .args([
                "--exact",
                "task::local_refs::tests::count_that_would_wrap_ends_the_process",
            ])
            .env(STEP, step)
            .output()
            .expect("the program starts")
            .status;
        assert!(!status.success(), "{step}");
    }
}

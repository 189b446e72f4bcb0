//! Which crates are asked, and when an answer counts as empty.

use super::{count, uses_loom};
use crate::workspace::tests::{dependency, library};

#[test]
fn a_crate_with_loom_tests_depends_on_loom() {
    let mut package = library("ringloop-core");
    assert!(!uses_loom(&package));
    package.dependencies.push(dependency("loom"));
    assert!(uses_loom(&package));
}

#[test]
fn a_list_without_tests_is_empty() {
    assert_eq!(count("\n0 tests, 0 benchmarks\n"), 0);
    assert_eq!(
        count("a::tests::loom::b: test\nloom_c: test\n\n2 tests, 0 benchmarks\n"),
        2
    );
}

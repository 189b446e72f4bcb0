//! Arrows that are in the picture, and arrows that are not.

use super::check;
use crate::workspace::tests::{dependency, library, workspace};
use crate::workspace::{Dependency, Package};

fn package(name: &str, dependencies: Vec<Dependency>) -> Package {
    Package {
        dependencies,
        ..library(name)
    }
}

#[track_caller]
fn finds(package: Package, expected: &[&str]) {
    assert_eq!(check(&workspace(vec![package])), expected);
}

#[test]
fn drawn_arrows_pass() {
    finds(
        package("ringloop-task", vec![dependency("ringloop-core")]),
        &[],
    );
    finds(
        package("ringloop", vec![dependency("ringloop-macros")]),
        &[],
    );
    finds(
        package("ringloop-benches", vec![dependency("ringloop-proactor")]),
        &[],
    );
    finds(package("ringloop-core", vec![dependency("libc")]), &[]);
}

#[test]
fn other_arrows_are_found() {
    finds(
        package("ringloop-task", vec![dependency("ringloop-proactor")]),
        &["ringloop-task -> ringloop-proactor: this arrow is not in the picture"],
    );
    finds(
        package("ringloop-core", vec![dependency("ringloop")]),
        &["ringloop-core -> ringloop: this arrow is not in the picture"],
    );
}

#[test]
fn dev_dependencies_draw_no_arrow() {
    let dev = Dependency {
        dev: true,
        ..dependency("ringloop-task")
    };
    finds(package("ringloop-core", vec![dev]), &[]);
}

#[test]
fn unknown_crates_are_found() {
    finds(
        package("ringloop-extra", Vec::new()),
        &["ringloop-extra is not in the dependency picture"],
    );
}

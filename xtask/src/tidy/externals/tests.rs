//! Dependencies that are allowed, and dependencies that are not.

use super::check;
use crate::workspace::tests::{dependency, library, workspace};
use crate::workspace::{Dependency, Package};

#[track_caller]
fn finds(name: &str, dependency: Dependency, expected: &[&str]) {
    let package = Package {
        dependencies: vec![dependency],
        ..library(name)
    };
    assert_eq!(check(&workspace(vec![package])), expected);
}

#[test]
fn listed_ones_pass() {
    finds("ringloop-proactor", dependency("io-uring"), &[]);
    finds("ringloop", dependency("socket2"), &[]);
    finds("ringloop-benches", dependency("tokio"), &[]);
    finds("ringloop-task", dependency("ringloop-core"), &[]);
}

#[test]
fn others_are_found() {
    let not_allowed = "not among the allowed external dependencies";
    for (library, name) in [
        ("ringloop", "tokio"),
        ("ringloop-core", "crossbeam-utils"),
        ("ringloop-task", "libc"),
        ("ringloop-proactor", "socket2"),
        ("ringloop-macros", "syn"),
        ("xtask", "clap"),
    ] {
        finds(
            library,
            dependency(name),
            &[&format!("{library} -> {name}: {not_allowed}")],
        );
    }
}

#[test]
fn loom_is_for_loom_builds_and_tests() {
    let finding = "ringloop-core -> loom: not among the allowed external dependencies";
    finds("ringloop-core", dependency("loom"), &[finding]);
    let condition = Some("cfg(loom)".to_owned());
    finds(
        "ringloop-core",
        Dependency {
            condition,
            ..dependency("loom")
        },
        &[],
    );
    finds(
        "ringloop-core",
        Dependency {
            dev: true,
            ..dependency("loom")
        },
        &[],
    );
}

#[test]
fn tests_may_use_a_little_more() {
    finds(
        "ringloop-proactor",
        Dependency {
            dev: true,
            ..dependency("socket2")
        },
        &[],
    );
    let finding = "ringloop-proactor -> tokio: not among the allowed external dependencies";
    finds(
        "ringloop-proactor",
        Dependency {
            dev: true,
            ..dependency("tokio")
        },
        &[finding],
    );
}

#[test]
fn some_libraries_are_tested_under_other_runtimes() {
    for library in ["ringloop-offload", "ringloop-sync"] {
        finds(
            library,
            Dependency {
                dev: true,
                ..dependency("tokio")
            },
            &[],
        );
        let finding = format!("{library} -> tokio: not among the allowed external dependencies");
        finds(library, dependency("tokio"), &[&finding]);
    }
}

#[test]
fn default_features_are_found() {
    let with_features = Dependency {
        default_features: true,
        ..dependency("tokio")
    };
    let finding = "ringloop-benches -> tokio: wants `default-features = false`";
    finds("ringloop-benches", with_features, &[finding]);
}

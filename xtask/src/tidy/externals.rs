//! External dependencies: the few that the libraries may have.

use crate::workspace::{Dependency, Package, Workspace};

/// What each library may build on besides std. Everything else wants a decision record first, and
/// then a place here. A library that is not listed may use nothing.
const ALLOWED: [(&str, &[&str]); 6] = [
    (
        "ringloop",
        &[
            "crossbeam-utils",
            "io-uring",
            "libc",
            "pin-project-lite",
            "socket2",
        ],
    ),
    (
        "ringloop-proactor",
        &[
            "bytes",
            "crossbeam-utils",
            "io-uring",
            "libc",
            "pin-project-lite",
        ],
    ),
    ("ringloop-task", &["crossbeam-utils", "pin-project-lite"]),
    (
        "ringloop-offload",
        &["crossbeam-utils", "pin-project-lite", "rayon"],
    ),
    ("ringloop-sync", &["crossbeam-utils", "pin-project-lite"]),
    ("xtask", &["serde_json", "xshell"]),
];

/// What tests may use besides.
const ALLOWED_IN_TESTS: [&str; 5] = ["libc", "loom", "pin-project-lite", "socket2", "trybuild"];

/// What the tests of some libraries may use besides: the runtimes of others that they have to work
/// under.
const ALLOWED_IN_TESTS_OF: [(&str, &[&str]); 2] = [
    ("ringloop-offload", &OTHER_RUNTIMES),
    ("ringloop-sync", &OTHER_RUNTIMES),
];

const OTHER_RUNTIMES: [&str; 3] = ["async-executor", "async-io", "tokio"];

/// The one package that may use anything: it is not published, and compares with others.
const FREE: &str = "ringloop-benches";

/// Finds dependencies that are not allowed, and allowed ones that bring default features along.
pub(crate) fn check(workspace: &Workspace) -> Vec<String> {
    let mut findings = Vec::new();
    for package in &workspace.packages {
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| !dependency.ours)
        {
            let arrow = format!("{} -> {}", package.name, dependency.name);
            if package.name != FREE && !is_allowed(package, dependency) {
                findings.push(format!(
                    "{arrow}: not among the allowed external dependencies"
                ));
            }
            if dependency.default_features {
                findings.push(format!("{arrow}: wants `default-features = false`"));
            }
        }
    }
    findings
}

fn is_allowed(package: &Package, dependency: &Dependency) -> bool {
    let name = dependency.name.as_str();
    let in_loom_builds = dependency.condition.as_deref() == Some("cfg(loom)");
    (name == "loom" && in_loom_builds)
        || (dependency.dev && ALLOWED_IN_TESTS.contains(&name))
        || (dependency.dev && is_listed(&ALLOWED_IN_TESTS_OF, package, name))
        || is_listed(&ALLOWED, package, name)
}

fn is_listed(table: &[(&str, &[&str])], package: &Package, name: &str) -> bool {
    let listed = table.iter().find(|(library, _)| *library == package.name);
    listed.is_some_and(|(_, externals)| externals.contains(&name))
}

#[cfg(test)]
mod tests;

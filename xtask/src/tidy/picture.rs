//! The dependency picture: which crate of the workspace may stand on which.

use crate::workspace::Workspace;

/// The arrows of the picture, downwards. A crate that is not here is not in the picture.
const ARROWS: [(&str, &[&str]); 12] = [
    ("ringloop-core", &[]),
    ("ringloop-macros", &[]),
    ("ringloop-proactor", &["ringloop-core"]),
    ("ringloop-task", &["ringloop-core"]),
    ("ringloop-offload", &["ringloop-core"]),
    ("ringloop-sync", &["ringloop-core"]),
    (
        "ringloop",
        &[
            "ringloop-core",
            "ringloop-macros",
            "ringloop-offload",
            "ringloop-proactor",
            "ringloop-sync",
            "ringloop-task",
        ],
    ),
    ("ringloop-sim", &["ringloop", "ringloop-proactor"]),
    ("ringloop-compat", &["ringloop"]),
    ("ringloop-inspect", &["ringloop-task"]),
    ("ringloop-benches", ANY),
    ("xtask", &[]),
];

/// Stands on whatever it likes.
const ANY: &[&str] = &["*"];

/// Finds crates and arrows that are not in the picture. Dev-dependencies draw no arrow: nobody who
/// uses a crate builds them.
pub(crate) fn check(workspace: &Workspace) -> Vec<String> {
    let mut findings = Vec::new();
    for package in &workspace.packages {
        let name = &package.name;
        let Some((_, below)) = ARROWS.iter().find(|(from, _)| from == name) else {
            findings.push(format!("{name} is not in the dependency picture"));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|d| d.ours && !d.dev) {
            if *below != ANY && !below.contains(&dependency.name.as_str()) {
                let to = &dependency.name;
                findings.push(format!("{name} -> {to}: this arrow is not in the picture"));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests;

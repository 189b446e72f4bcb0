//! The unsafe list: `docs/unsafe.md` names exactly the files with unsafe code, and says of each
//! what it does, why, on which invariants it stands, and what checks them.
//!
//! Three things make the list complete. Every crate forbids unsafe code or denies it. A file that
//! uses it all the same expects the lint, or a module above it does; that goes for tests and
//! examples too. And the files that expect it are the list.

use std::collections::BTreeSet;

use super::File;
use crate::workspace::Workspace;

/// The crates that may have unsafe code, in modules that expect it. All others forbid it.
const WITH_UNSAFE: [&str; 7] = [
    "ringloop",
    "ringloop-benches",
    "ringloop-core",
    "ringloop-offload",
    "ringloop-proactor",
    "ringloop-sync",
    "ringloop-task",
];

const LIST: &str = "docs/unsafe.md";

/// What is said about each file, in this order.
const LABELS: [&str; 4] = ["- What:", "- Why:", "- Invariants:", "- Checked by:"];

/// The texts that are looked for, from halves, so that this file is not a finding.
const EXPECT: &str = concat!("expect(unsafe", "_code");
const ALLOW: &str = concat!("allow(unsafe", "_code");
const DENY: &str = concat!("#![deny(unsafe", "_code)]");
const FORBID: &str = concat!("#![forbid(unsafe", "_code)]");

/// Finds crates without a word on unsafe code, files that use it and do not say so, and
/// differences between those that say so and the list.
pub(crate) fn check(workspace: &Workspace, files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    roots(workspace, files, &mut findings);
    let mut expecting = BTreeSet::new();
    for File { path, text } in rust_files(files) {
        let code = squeeze(text);
        if code.contains(EXPECT) {
            expecting.insert(path.clone());
        }
        if code.contains(ALLOW) {
            findings.push(format!("{path}: `{ALLOW}`: expect it, with a reason"));
        }
    }
    for File { path, text } in rust_files(files) {
        let is_expected = modules_above(path).any(|module| expecting.contains(&module));
        if let Some(index) = text.lines().position(uses_unsafe).filter(|_| !is_expected) {
            findings.push(format!(
                "{path}:{}: unsafe code without `{EXPECT}`",
                index + 1
            ));
        }
    }
    let Some(list) = files.iter().find(|file| file.path == LIST) else {
        findings.push(format!("{LIST} is missing"));
        return findings;
    };
    let listed = entries(&list.text, &mut findings);
    let missing = expecting.difference(&listed);
    findings.extend(missing.map(|path| format!("{LIST}: no entry for {path}")));
    let idle = listed.difference(&expecting);
    findings.extend(idle.map(|path| format!("{LIST}: {path} expects none")));
    findings
}

/// Checks that the root of every library and program says `forbid`, or `deny` where it may.
fn roots(workspace: &Workspace, files: &[File], findings: &mut Vec<String>) {
    for package in &workspace.packages {
        let may_deny = WITH_UNSAFE.contains(&package.name.as_str());
        for target in &package.targets {
            let built = matches!(target.kind.as_str(), "lib" | "proc-macro" | "bin");
            let file = files.iter().find(|file| file.path == target.root);
            let Some(file) = file.filter(|_| built) else {
                continue;
            };
            let code = squeeze(&file.text);
            let says = |level: &str| code.contains(level);
            if !(says(FORBID) || may_deny && says(DENY)) {
                let or_deny = if may_deny {
                    format!(" or `{DENY}`")
                } else {
                    String::new()
                };
                findings.push(format!("{}: the root lacks `{FORBID}`{or_deny}", file.path));
            }
        }
    }
}

/// The paths in the list's headings, which are not those in its code blocks. Reports the entries
/// that lack one of the labels.
fn entries(list: &str, findings: &mut Vec<String>) -> BTreeSet<String> {
    let prose: Vec<&str> = list.split("```").step_by(2).collect();
    let prose = prose.concat();
    let mut paths = BTreeSet::new();
    for section in prose.split("\n### `").skip(1) {
        let (heading, text) = section.split_once('\n').unwrap_or((section, ""));
        let path = heading.trim_end().trim_end_matches('`');
        for label in LABELS {
            let mut said = text.lines().filter_map(|line| line.strip_prefix(label));
            if !said.any(|words| !words.trim().is_empty()) {
                findings.push(format!("{LIST}: {path} lacks `{label}`"));
            }
        }
        paths.insert(path.to_owned());
    }
    paths
}

fn rust_files(files: &[File]) -> impl Iterator<Item = &File> {
    files.iter().filter(|file| file.is("rs"))
}

/// The file itself, and those that may hold a module around it: of `a/b.rs`, that is `a.rs`,
/// `a/mod.rs`, `a/main.rs`, and so on upwards.
fn modules_above(path: &str) -> impl Iterator<Item = String> {
    let folders = path.match_indices('/').map(|(end, _)| &path[..end]);
    let above = folders.flat_map(|folder| {
        [
            format!("{folder}.rs"),
            format!("{folder}/mod.rs"),
            format!("{folder}/main.rs"),
        ]
    });
    above.chain([path.to_owned()])
}

/// The text without comment lines and white space: an attribute reads the same however it is laid
/// out.
fn squeeze(text: &str) -> String {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(str::split_whitespace).collect()
}

/// The keyword stands in this line, outside of strings and comments.
fn uses_unsafe(line: &str) -> bool {
    let mut code = String::new();
    let mut in_string = false;
    let mut previous = ' ';
    for c in line.chars() {
        if c == '"' && previous != '\\' && previous != '\'' {
            in_string = !in_string;
        }
        code.push(if in_string { ' ' } else { c });
        previous = c;
    }
    let code = code.split("//").next().unwrap_or_default();
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|word| word == "unsafe")
}

#[cfg(test)]
mod tests;

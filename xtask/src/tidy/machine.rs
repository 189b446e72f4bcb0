//! Traces of the machine a file was written on: absolute paths, hosts to download from.
//!
//! The texts it looks for are put together from halves here, so that this file is not a finding.

use super::File;

/// Folders in which people and build machines keep their work.
const FOLDERS: [&str; 3] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
];

/// Hosts that a package client downloads from: which one it is, is up to the machine.
const HOSTS: [&str; 5] = [
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("files.python", "hosted.org"),
    concat!("deb.deb", "ian.org"),
    concat!("registry.npm", "js.org"),
];

/// Tables of a cargo configuration that send cargo to another registry.
const CONFIGURATION: [&str; 3] = [
    concat!("[sou", "rce"),
    concat!("[regis", "tries"),
    concat!("[regis", "try]"),
];

/// How `Cargo.lock` names the registry on every machine.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Finds lines that name such a folder or host, or another registry than the usual one.
pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut findings = Vec::new();
    for file in files {
        for (index, line) in file.text.lines().enumerate() {
            let found = FOLDERS
                .into_iter()
                .find(|folder| names_folder(line, folder));
            let found = found.or_else(|| HOSTS.into_iter().find(|host| line.contains(host)));
            let found = found.or_else(|| registry(file, line));
            if let Some(what) = found {
                findings.push(format!("{}:{}: names `{what}`", file.path, index + 1));
            }
        }
    }
    findings
}

/// `folder` stands at the beginning of a path, not inside of one.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "_-.~}>)*".contains(c))
    })
}

/// The part of a lock file's or a cargo configuration's line that names another registry.
fn registry<'a>(file: &File, line: &'a str) -> Option<&'a str> {
    if file.path.ends_with("Cargo.lock") {
        let source = line.strip_prefix("source = ")?.trim_matches('"');
        return (source != REGISTRY).then_some(source);
    }
    let configures = file.path.starts_with(".cargo/");
    (configures && CONFIGURATION.iter().any(|table| line.contains(table))).then_some(line)
}

#[cfg(test)]
mod tests;

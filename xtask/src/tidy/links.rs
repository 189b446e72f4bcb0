//! Links in Markdown files that lead to other files of the repository.

use std::collections::BTreeSet;

use super::File;

/// Finds relative links that lead nowhere. Links into the web and to a heading of the same page
/// are not followed.
pub(crate) fn check(files: &[File]) -> Vec<String> {
    let places = places(files);
    let mut findings = Vec::new();
    for file in files.iter().filter(|file| file.is("md")) {
        for (line, target) in targets(&file.text) {
            let path = target.split('#').next().unwrap_or_default();
            let elsewhere = target.contains("://") || target.starts_with("mailto:");
            if elsewhere || path.is_empty() {
                continue;
            }
            let found = resolve(&file.path, path).is_some_and(|place| places.contains(&place));
            if !found {
                findings.push(format!("{}:{line}: `{target}` leads nowhere", file.path));
            }
        }
    }
    findings
}

/// Every file and every folder that holds one.
fn places(files: &[File]) -> BTreeSet<String> {
    let mut places = BTreeSet::from([String::new()]);
    for file in files {
        let ends = file
            .path
            .match_indices('/')
            .map(|(end, _)| end)
            .chain([file.path.len()]);
        places.extend(ends.map(|end| file.path[..end].to_owned()));
    }
    places
}

/// Where `link` leads from the file `from`; nowhere if that is outside of the repository.
fn resolve(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The targets of inline links, images and reference definitions, with their line numbers; not
/// those in code.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut targets = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        let start = line.trim_start();
        if start.starts_with("```") || start.starts_with("~~~") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        if start.starts_with('[')
            && let Some((_, target)) = start.split_once("]: ")
        {
            targets.push((index + 1, first_word(target)));
        }
        for (at, _) in line.match_indices("](") {
            let in_span = line[..at].matches('`').count() % 2 == 1;
            let target = line[at + 2..].split(')').next().unwrap_or_default();
            if !in_span {
                targets.push((index + 1, first_word(target)));
            }
        }
    }
    targets
}

/// A target without the title that may follow it.
fn first_word(target: &str) -> &str {
    target.split_whitespace().next().unwrap_or_default()
}

#[cfg(test)]
mod tests;

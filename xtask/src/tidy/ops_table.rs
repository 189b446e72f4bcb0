//! The table of operations, `docs/ops.md`: made of what the sources of the proactor say.
//!
//! An operation is a struct in the catalog with an `impl Operation` or `impl Multishot`. Its doc
//! comment says since which kernel there is one (`Linux 5.1.`) and which function of liburing it is
//! (``Counterpart: `io_uring_prep_nop(3)` ``). The methods that make it are the functions whose results
//! name it, or what its doc comment says: ``Made by [`Op::with_timeout`]``. What is missing is a
//! finding.

mod source;

use std::fmt::Write as _;

use super::File;
use source::{Impl, Method, Struct};

/// Where the operations are, and where the methods that make them may be.
const CATALOG: &str = "crates/ringloop-proactor/src/ops/";
const SOURCES: &str = "crates/ringloop-proactor/src/";

pub(crate) const TABLE: &str = "docs/ops.md";

const HEAD: &str = "# The operations of the proactor

Every operation of `ringloop-proactor`, the method that makes it, and the first Linux that has it. The crate
needs Linux 6.1; what is newer fails with `ErrorKind::Unsupported` on a kernel that lacks it. A method without
a type before it is one of `Handle`.

This page is made of the sources by `cargo xtask ops`.
";

/// What the table says of one operation.
#[derive(Debug)]
struct Row {
    name: String,
    made_by: String,
    linux: String,
    manual: String,
    output: String,
    is_multishot: bool,
}

/// Finds operations that do not say what the table needs, and a table that is not up to date.
pub(crate) fn check(files: &[File]) -> Vec<String> {
    let (text, mut findings) = render(files);
    let table = files.iter().find(|file| file.path == TABLE);
    if table.is_none_or(|table| table.text != text) {
        findings.push(format!("{TABLE}: not what `cargo xtask ops` writes"));
    }
    findings
}

/// The text of the table, and what operations do not say.
pub(crate) fn render(files: &[File]) -> (String, Vec<String>) {
    let mut findings = Vec::new();
    let sources = || {
        let ours = |file: &&File| file.is("rs") && file.path.starts_with(SOURCES);
        files.iter().filter(ours)
    };
    let methods: Vec<Method> = sources()
        .flat_map(|file| source::methods(&file.text))
        .collect();
    let catalog: Vec<&File> = sources()
        .filter(|file| file.path.starts_with(CATALOG))
        .collect();
    let impls: Vec<Impl> = catalog
        .iter()
        .flat_map(|file| source::impls(&file.text))
        .collect();
    let mut text = HEAD.to_owned();
    let mut found = 0;
    for file in catalog {
        let structs = source::structs(&file.text);
        let mut rows = Vec::new();
        for item in &structs {
            let Some(of) = impls.iter().find(|of| of.of == item.name) else {
                continue;
            };
            let missing = |what: &str| format!("{}:{}: {} {what}", file.path, item.line, item.name);
            rows.push(row(item, of, &methods, &mut |what| {
                findings.push(missing(what));
            }));
        }
        found += rows.len();
        if !rows.is_empty() {
            section(&mut text, &source::title(&file.text), &rows);
        }
    }
    for of in &impls {
        let is_defined = |file: &File| source::structs(&file.text).iter().any(|s| s.name == of.of);
        if !sources().any(is_defined) {
            findings.push(format!("{CATALOG}: no struct is called {}", of.of));
        }
    }
    if found == 0 {
        findings.push(format!("{CATALOG}: no operations found"));
    }
    (text, findings)
}

fn row(item: &Struct, of: &Impl, methods: &[Method], missing: &mut dyn FnMut(&str)) -> Row {
    let mut say = |found: Option<String>, lack: &str| {
        found.unwrap_or_else(|| {
            missing(lack);
            "?".to_owned()
        })
    };
    let makers = methods.iter().filter(|method| method.makes(&item.name));
    let makers: Vec<String> = makers.map(Method::title).collect();
    let made_by = (!makers.is_empty()).then(|| makers.join("`, `"));
    let made_by = made_by.or_else(|| item.made_by());
    Row {
        name: item.name.clone(),
        made_by: say(
            made_by,
            "is made by no public method (or say: Made by [`Type::method`])",
        ),
        linux: say(item.linux(), "does not say `Linux X.Y.` in its doc comment"),
        manual: say(
            item.counterpart(),
            "does not say ``Counterpart: `io_uring_prep_x(3)` `` in its doc comment",
        ),
        output: say(of.output.clone(), "has no `type Output` or `type Item`"),
        is_multishot: of.is_multishot,
    }
}

fn section(text: &mut String, title: &str, rows: &[Row]) {
    let mut line = |line: String| writeln!(text, "{line}").expect("a String takes all of it");
    line(format!("\n## {title}\n"));
    line("| operation | made by | Linux | result | manual page |".to_owned());
    line("|---|---|---|---|---|".to_owned());
    for row in rows {
        let many = if row.is_multishot { ", many times" } else { "" };
        line(format!(
            "| `{}` | `{}` | {} | `{}`{many} | `{}` |",
            row.name, row.made_by, row.linux, row.output, row.manual
        ));
    }
}

#[cfg(test)]
mod tests;

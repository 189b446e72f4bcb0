//! Crates, files and lists that agree, and such that do not.

use super::{ALLOW, DENY, EXPECT, FORBID, File, LIST, check, uses_unsafe};
use crate::workspace::tests::{library, workspace};

const ROOT: &str = "crates/ringloop-core/src/lib.rs";
const CELL: &str = "crates/ringloop-core/src/cell.rs";

const ENTRY: &str = "# List\n\n### `crates/ringloop-core/src/cell.rs`\n\n- What: a cell.\n- Why: \
    speed.\n- Invariants: I1.\n- Checked by: loom.\n";

fn file(path: &str, text: &str) -> File {
    File {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

/// Checks `ringloop-core` with this root, this module and this list.
#[track_caller]
fn finds(root: &str, cell: &str, list: &str, expected: &[&str]) {
    let workspace = workspace(vec![library("ringloop-core")]);
    let files = [file(ROOT, root), file(CELL, cell), file(LIST, list)];
    assert_eq!(check(&workspace, &files), expected);
}

fn expecting() -> String {
    format!("#![{EXPECT}, reason = \"speed\")]\nfn f() {{ unsafe {{ g() }} }}")
}

#[test]
fn a_complete_list_passes() {
    finds(DENY, &expecting(), ENTRY, &[]);
    finds(FORBID, "fn f() {}", "# List\n", &[]);
}

#[test]
fn layout_and_comments_do_not_matter() {
    finds(DENY, &expecting().replace('(', "(\n    "), ENTRY, &[]);
    finds(
        FORBID,
        &format!("//! It has no `{EXPECT})`."),
        "# List\n",
        &[],
    );
    let finding = format!("{ROOT}: the root lacks `{FORBID}` or `{DENY}`");
    finds(&format!("// {FORBID}"), "", "# List\n", &[&finding]);
}

#[test]
fn differences_are_found() {
    let finding = format!("{LIST}: no entry for {CELL}");
    finds(DENY, &expecting(), "# List\n", &[&finding]);
    finds(
        DENY,
        "fn f() {}",
        ENTRY,
        &[&format!("{LIST}: {CELL} expects none")],
    );
}

#[test]
fn entries_say_all_four_things() {
    let finding = format!("{LIST}: {CELL} lacks `- Checked by:`");
    finds(DENY, &expecting(), &ENTRY.replace("loom.", ""), &[&finding]);
    let finding = format!("{LIST}: {CELL} lacks `- Why:`");
    finds(
        DENY,
        &expecting(),
        &ENTRY.replace("- Why: speed.\n", ""),
        &[&finding],
    );
}

#[test]
fn examples_in_the_list_are_no_entries() {
    let list = format!("# List\n```text\n{ENTRY}```\n");
    finds(DENY, &expecting(), &format!("{list}{ENTRY}"), &[]);
    finds(
        DENY,
        &expecting(),
        &list,
        &[&format!("{LIST}: no entry for {CELL}")],
    );
}

#[test]
fn unsafe_code_is_expected() {
    let finding = format!("{CELL}:2: unsafe code without `{EXPECT}`");
    finds(DENY, "\nunsafe fn f() {}", "# List\n", &[&finding]);
    let cell = format!("{}\n#![{ALLOW})]", expecting());
    let finding = format!("{CELL}: `{ALLOW}`: expect it, with a reason");
    finds(DENY, &cell, ENTRY, &[&finding]);
}

#[test]
fn a_module_expects_for_those_in_it() {
    let child = "crates/ringloop-core/src/cell/slot.rs";
    let files = |parent: &str| {
        [
            file(parent, &expecting()),
            file(child, "unsafe fn f() {}"),
            file(LIST, "# List\n"),
        ]
    };
    let findings = |parent| check(&workspace(Vec::new()), &files(parent));
    for parent in [CELL, "crates/ringloop-core/src/cell/mod.rs"] {
        assert_eq!(findings(parent), [format!("{LIST}: no entry for {parent}")]);
    }
    assert!(findings("crates/ringloop-core/src/other.rs")[0].starts_with(child));
}

#[test]
fn roots_say_what_they_want() {
    finds(
        "",
        "",
        "# List\n",
        &[&format!("{ROOT}: the root lacks `{FORBID}` or `{DENY}`")],
    );
    let files = [
        file("crates/xtask/src/lib.rs", DENY),
        file(LIST, "# List\n"),
    ];
    let finding = format!("crates/xtask/src/lib.rs: the root lacks `{FORBID}`");
    assert_eq!(check(&workspace(vec![library("xtask")]), &files), [finding]);
}

#[test]
fn a_missing_list_is_found() {
    let files = [file(ROOT, FORBID)];
    let findings = check(&workspace(vec![library("ringloop-core")]), &files);
    assert_eq!(findings, [format!("{LIST} is missing")]);
}

#[test]
fn the_keyword_counts_only_as_code() {
    assert!(uses_unsafe("let x = unsafe { f() };"));
    assert!(uses_unsafe("    unsafe impl Send for T {}"));
    assert!(uses_unsafe("#[unsafe(no_mangle)]"));
    assert!(uses_unsafe("call(\"text\", unsafe { f() })"));
    assert!(!uses_unsafe("// unsafe { f() }"));
    assert!(!uses_unsafe("let text = \"unsafe \\\" unsafe\";"));
    assert!(!uses_unsafe("unsafe_code"));
}

//! Links that lead somewhere, and links that do not.

use super::{File, check};

/// Checks a page in `docs/` beside a few other files.
#[track_caller]
fn finds(page: &str, expected: &[&str]) {
    let file = |path: &str, text: &str| File {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let files = [
        file("README.md", ""),
        file("docs/page.md", page),
        file("docs/decisions/0001-shape.md", ""),
        file(
            "crates/ringloop/src/lib.rs",
            "//! [not Markdown](nowhere.md)",
        ),
    ];
    assert_eq!(check(&files), expected);
}

#[test]
fn files_and_folders_are_found() {
    finds("[a](../README.md) ![b](decisions/0001-shape.md#why)", &[]);
    finds(
        "[a](decisions/) [b](decisions) [c](..) [d](./page.md \"this page\")",
        &[],
    );
    finds("[a]: ../crates/ringloop/src/lib.rs", &[]);
}

#[test]
fn broken_links_are_found() {
    finds(
        "text\n[a](decisions/0002.md)",
        &["docs/page.md:2: `decisions/0002.md` leads nowhere"],
    );
    finds(
        "[a](README.md)",
        &["docs/page.md:1: `README.md` leads nowhere"],
    );
    finds(
        "[a](../../README.md)",
        &["docs/page.md:1: `../../README.md` leads nowhere"],
    );
    finds(
        "[a]: missing.md",
        &["docs/page.md:1: `missing.md` leads nowhere"],
    );
}

#[test]
fn other_links_are_not_followed() {
    finds(
        "[a](https://example.org/x) [b](#heading) [c](mailto:someone@example.org)",
        &[],
    );
}

#[test]
fn code_is_not_read() {
    finds("`[a](nowhere.md)`\n```text\n[a](nowhere.md)\n```\n", &[]);
    finds(
        "```text\n```\n[a](nowhere.md)",
        &["docs/page.md:3: `nowhere.md` leads nowhere"],
    );
}

//! Lines with traces, and lines that only look like it.

use super::{File, REGISTRY, check};

#[track_caller]
fn finds(path: &str, text: &str, expected: &[&str]) {
    let file = File {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    assert_eq!(check(&[file]), expected);
}

#[test]
fn absolute_paths_are_found() {
    let line = concat!("fine\nopen(\"/ho", "me/me/notes\")");
    finds("a.rs", line, &[concat!("a.rs:2: names `/ho", "me/`")]);
    finds(
        "a.md",
        concat!("see /wo", "rk/x"),
        &[concat!("a.md:1: names `/wo", "rk/`")],
    );
    finds(
        "a.md",
        concat!("file:///ro", "ot/x"),
        &[concat!("a.md:1: names `/ro", "ot/`")],
    );
}

#[test]
fn folders_inside_of_a_path_are_not() {
    finds(
        "a.md",
        concat!("docs/wo", "rk/page.md ~/wo", "rk/ $(pwd)/wo", "rk/"),
        &[],
    );
}

#[test]
fn download_hosts_are_found() {
    let line = concat!("curl https://static.crates", ".io/x");
    finds(
        ".ci/run",
        line,
        &[concat!(".ci/run:1: names `static.crates", ".io`")],
    );
    finds(
        "README.md",
        concat!("https://crates", ".io/crates/ringloop"),
        &[],
    );
}

#[test]
fn lock_files_name_the_usual_registry() {
    finds("Cargo.lock", &format!("source = \"{REGISTRY}\""), &[]);
    finds(
        "Cargo.lock",
        "source = \"registry+http://localhost:8081\"",
        &["Cargo.lock:1: names `registry+http://localhost:8081`"],
    );
}

#[test]
fn configurations_name_no_registry() {
    let line = concat!("[sou", "rce.crates-io]");
    finds(
        ".cargo/config.toml",
        line,
        &[&format!(".cargo/config.toml:1: names `{line}`")],
    );
    finds("xtask/x.toml", line, &[]);
}

//! Catalogs, and the tables that are made of them.

use super::{File, TABLE, check, render};

/// A catalog of two. The word that another rule looks for is put together when it is read.
const NOP: &str = "//! Operations that do nothing: nearly.

impl Handle {
    /// Makes one.
    pub fn nop(&self) -> Op<Nop> {
        self.submit(Nop(()))
    }

    pub fn ticks<B: IoBuf>(
        &self,
        every: Duration,
        with: B,
    ) -> io::Result<OpStream<Ticks<B>>> {
    }
}

/// A trip through the ring. Linux 5.1. Counterpart: `io_uring_prep_nop(3)`.
#[derive(Debug)]
#[doc(alias = \"io_uring_prep_nop\")]
pub struct Nop(());

// SAFETY: nothing is named.
un-safe impl Operation for Nop {
    type Output = io::Result<()>;
    type Leftover = ();
}

/// Tells again. Linux 5.6, with buffers
/// 6.4. Counterpart:
/// `io_uring_prep_timeout(3)`.
#[expect(
    dead_code,
    reason = \"a test\"
)]
pub struct Ticks<B> {
    every: B,
}

// SAFETY: as above.
un-safe impl<B: IoBuf> Multishot for Ticks<B> {
    /// The events.
    type Item = u32;
}

/// No operation, on Linux 1.0.
pub struct Other;
";

fn catalog(texts: &[&str]) -> Vec<File> {
    let file = |(n, text): (usize, &&str)| File {
        path: format!("crates/ringloop-proactor/src/ops/{n}.rs"),
        text: text.replace("un-safe", "unsafe"),
    };
    texts.iter().enumerate().map(file).collect()
}

#[track_caller]
fn finds(texts: &[&str], expected: &[&str]) {
    let (_, findings) = render(&catalog(texts));
    assert_eq!(findings.len(), expected.len(), "{findings:?}");
    for (finding, words) in findings.iter().zip(expected) {
        assert!(finding.contains(words), "{finding}");
    }
}

#[test]
fn the_table_says_what_the_source_says() {
    let many = "    pub fn many(&self) -> io::Result<Op<Nop>> {\n\n    pub fn ticks";
    let two_make_one = NOP.replace("    pub fn ticks", many);
    let (text, findings) = render(&catalog(&[&two_make_one]));
    assert_eq!(findings, [""; 0]);
    let (_, table) = text.split_once("\n## ").unwrap();
    assert_eq!(
        table,
        "Operations that do nothing

| operation | made by | Linux | result | manual page |
|---|---|---|---|---|
| `Nop` | `nop`, `many` | 5.1 | `io::Result<()>` | `io_uring_prep_nop(3)` |
| `Ticks` | `ticks` | 5.6 | `u32`, many times | `io_uring_prep_timeout(3)` |
"
    );
}

#[test]
fn what_is_missing_is_named() {
    finds(
        &[&NOP.replace(" Linux 5.1.", "")],
        &["Nop does not say `Linux"],
    );
    finds(
        &[&NOP.replace("Counterpart: `io_uring_prep_nop", "See `nop")],
        &["Nop does not say ``Counter"],
    );
    finds(
        &[&NOP.replace("pub fn nop", "fn nop")],
        &["Nop is made by no public method"],
    );
    finds(
        &[&NOP.replace("Op<Nop>", "Op<Nope>")],
        &["Nop is made by no public method"],
    );
    finds(
        &[&NOP.replace("type Item", "type Thing")],
        &["Ticks has no `type Output`"],
    );
    finds(
        &[&NOP.replace("pub struct Nop", "pub struct No")],
        &["no struct is called Nop"],
    );
    finds(&["//! Nothing."], &["no operations found"]);
}

#[test]
fn a_method_elsewhere_and_a_doc_comment_will_do() {
    let elsewhere = NOP.replace("    pub fn nop(&self) -> Op<Nop> {", "    fn nop() {");
    let made = "impl<O: Operation> Op<O> {\n    pub fn none(self) -> Then<Self, Op<Nop>> {\n";
    let mut files = catalog(&[&elsewhere]);
    files.push(File {
        path: "crates/ringloop-proactor/src/op.rs".to_owned(),
        text: made.to_owned(),
    });
    let (text, findings) = render(&files);
    assert_eq!(findings, [""; 0]);
    assert!(text.contains("| `Nop` | `Op::none` |"));
    let said = elsewhere.replace("nop(3)`.", "nop(3)`. Made by [`Op::said`](crate::Op).");
    let (text, findings) = render(&catalog(&[&said]));
    assert_eq!(findings, [""; 0]);
    assert!(text.contains("| `Nop` | `Op::said` |"));
}

#[test]
fn an_old_table_is_a_finding() {
    let mut files = catalog(&[NOP]);
    assert!(check(&files)[0].contains("cargo xtask ops"));
    files.push(File {
        path: TABLE.to_owned(),
        text: render(&files).0,
    });
    assert_eq!(check(&files), [""; 0]);
    files[0].text = files[0].text.replace("Linux 5.1.", "Linux 5.2.");
    assert!(check(&files)[0].contains("cargo xtask ops"));
}

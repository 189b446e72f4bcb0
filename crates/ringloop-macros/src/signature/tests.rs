//! What is accepted, with its parts, and what is refused, with the token that is to blame.

use super::{Complaint, Reason, Shape, Signature, parse};

/// Shapes of a text whose token trees stand apart; `(…)`, `[…]` and `{…}` are one word each.
fn shapes(text: &str) -> Vec<Shape> {
    text.split_whitespace()
        .map(|word| match word.chars().next() {
            Some('[') => Shape::Bracketed,
            Some('(') => Shape::Parenthesized {
                empty: word == "()",
            },
            Some('{') => Shape::Braced,
            Some('"' | '0'..='9') => Shape::Literal,
            Some(c) if c.is_alphanumeric() || c == '_' => Shape::Word(word.to_owned()),
            Some(c) => Shape::Punct(c),
            None => unreachable!("split_whitespace yields no empty word"),
        })
        .collect()
}

/// Checks head, name and output of an accepted function, each as its text.
#[track_caller]
fn accepts(text: &str, head: &str, name: &str, output: &str) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let Signature {
        head: found_head,
        name: found_name,
        output: found_output,
        body,
    } = parse(&shapes(text)).expect("accepted");
    assert_eq!(words[found_head].join(" "), head);
    assert_eq!(words[found_name], name);
    assert_eq!(words[found_output].join(" "), output);
    assert_eq!(body, words.len() - 1);
}

/// Checks the reason for a refusal, and the word it points at (none: past the end).
#[track_caller]
fn refuses(text: &str, reason: Reason, blamed: Option<&str>) {
    let complaint: Complaint = parse(&shapes(text)).expect_err("refused");
    assert_eq!(complaint.reason, reason);
    assert_eq!(text.split_whitespace().nth(complaint.at), blamed);
}

#[test]
fn plain() {
    accepts("async fn main () {}", "", "main", "");
}

#[test]
fn attributes_and_visibility_are_the_head() {
    accepts(
        "# [doc] # [ignore] async fn f () {}",
        "# [doc] # [ignore]",
        "f",
        "",
    );
    accepts("pub async fn f () {}", "pub", "f", "");
    accepts(
        "# [a] pub (crate) async fn f () {}",
        "# [a] pub (crate)",
        "f",
        "",
    );
}

#[test]
fn output_ends_at_the_last_braces() {
    accepts("async fn f () - > u8 {}", "", "f", "u8");
    accepts(
        "async fn f () - > Result < () , E > {}",
        "",
        "f",
        "Result < () , E >",
    );
    accepts(
        "async fn f () - > Matrix < {3} > {}",
        "",
        "f",
        "Matrix < {3} >",
    );
    accepts("async fn f () - > ! {}", "", "f", "!");
}

#[test]
fn other_items_are_refused() {
    let reason = Reason::NotPlainFunction;
    refuses("struct S ;", reason.clone(), Some("struct"));
    refuses("pub mod m {}", reason.clone(), Some("mod"));
    refuses("impl S {}", reason.clone(), Some("impl"));
    refuses("async move {}", reason.clone(), Some("move"));
    refuses("", reason, None);
}

#[test]
fn qualifiers_are_refused() {
    let reason = Reason::NotPlainFunction;
    refuses("async unsafe fn f () {}", reason.clone(), Some("unsafe"));
    refuses("const fn f () {}", reason.clone(), Some("const"));
    refuses("extern \"C\" fn f () {}", reason, Some("extern"));
}

#[test]
fn missing_async_points_at_fn() {
    refuses("# [a] pub fn main () {}", Reason::NotAsync, Some("fn"));
}

#[test]
fn parameters_point_at_the_list() {
    refuses(
        "async fn main (x:u8) {}",
        Reason::Parameters,
        Some("(x:u8)"),
    );
}

#[test]
fn generics_point_at_their_start() {
    refuses("async fn main < T > () {}", Reason::Generic, Some("<"));
    refuses(
        "async fn main () where u8 : Copy {}",
        Reason::Generic,
        Some("where"),
    );
    refuses(
        "async fn main () - > u8 where u8 : Copy {}",
        Reason::Generic,
        Some("where"),
    );
}

#[test]
fn declarations_without_a_body_point_at_the_semicolon() {
    refuses("async fn main () ;", Reason::NoBody, Some(";"));
}

#[test]
fn messages_tell_what_to_do() {
    assert!(Reason::NotAsync.to_string().contains("put `async` before"));
    assert!(
        Reason::Parameters
            .to_string()
            .contains("without parameters")
    );
    assert!(Reason::Generic.to_string().contains("not generic"));
    assert!(
        Reason::NotPlainFunction
            .to_string()
            .contains("plain `async fn`")
    );
}

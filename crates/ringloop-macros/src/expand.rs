//! The tokens that replace a function under one of the attributes.
//!
//! The body moves into an `async fn` of the same name inside the function, not into an `async`
//! block: the declared return type then drives inference for `?`, a body that returns the wrong
//! type is reported as it would be without the attribute, and the function's name stays in
//! panics and spawn locations. All tokens that the user wrote keep their spans.

use std::iter;

use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

use crate::signature::{self, Complaint, Shape, Signature};

/// Which attribute is being expanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    Main,
    Test,
}

impl Entry {
    /// The attribute as the user writes it, for messages.
    fn attribute(self) -> &'static str {
        match self {
            Self::Main => "#[ringloop::main]",
            Self::Test => "#[ringloop::test]",
        }
    }

    /// The function of `ringloop::__private` that runs the future.
    fn runner(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Test => "test",
        }
    }
}

/// Expands one attribute: the function that replaces `item`, or an error that points into it.
pub(crate) fn attribute(entry: Entry, arguments: TokenStream, item: TokenStream) -> TokenStream {
    if let Some(argument) = arguments.into_iter().next() {
        let message = format!("`{}` takes no arguments", entry.attribute());
        return error(entry, &message, argument.span());
    }
    let mut trees = Vec::new();
    flatten(item, &mut trees);
    let shapes: Vec<Shape> = trees.iter().map(shape).collect();
    match signature::parse(&shapes) {
        Ok(signature) => function(entry, &trees, &signature),
        Err(Complaint { at, reason }) => {
            let span = trees.get(at).map_or_else(Span::call_site, TokenTree::span);
            error(entry, &format!("`{}` {reason}", entry.attribute()), span)
        }
    }
}

/// Collects the top level of `stream`, without the invisible groups that `macro_rules!` fragments
/// arrive in.
fn flatten(stream: TokenStream, trees: &mut Vec<TokenTree>) {
    for tree in stream {
        match &tree {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                flatten(group.stream(), trees);
            }
            TokenTree::Group(_)
            | TokenTree::Ident(_)
            | TokenTree::Punct(_)
            | TokenTree::Literal(_) => trees.push(tree),
        }
    }
}

fn shape(tree: &TokenTree) -> Shape {
    match tree {
        TokenTree::Ident(ident) => Shape::Word(ident.to_string()),
        TokenTree::Punct(punct) => Shape::Punct(punct.as_char()),
        TokenTree::Literal(_) => Shape::Literal,
        TokenTree::Group(group) => match group.delimiter() {
            Delimiter::Brace => Shape::Braced,
            Delimiter::Bracket => Shape::Bracketed,
            Delimiter::Parenthesis | Delimiter::None => Shape::Parenthesized {
                empty: group.stream().is_empty(),
            },
        },
    }
}

/// `head fn name() -> … { async fn name() -> output { body } ::ringloop::__private::…(name()) }`
fn function(entry: Entry, trees: &[TokenTree], signature: &Signature) -> TokenStream {
    let output = &trees[signature.output.clone()];
    let mut tokens: Vec<TokenTree> = Vec::new();
    if entry == Entry::Test {
        tokens.push(punct('#'));
        tokens.push(group(
            Delimiter::Bracket,
            path(&["core", "prelude", "v1", "test"]),
        ));
    }
    tokens.extend_from_slice(&trees[signature.head.clone()]);
    tokens.push(word("fn"));
    tokens.push(trees[signature.name].clone());
    tokens.push(group(Delimiter::Parenthesis, Vec::new()));
    match entry {
        Entry::Main => tokens.extend(arrow(path(&["std", "process", "ExitCode"]))),
        Entry::Test if output.is_empty() => {}
        Entry::Test => tokens.extend(arrow(output.to_vec())),
    }

    let mut body: Vec<TokenTree> = Vec::new();
    body.extend_from_slice(&trees[signature.head.end..=signature.name]);
    body.push(group(Delimiter::Parenthesis, Vec::new()));
    if !output.is_empty() {
        body.extend(arrow(output.to_vec()));
    }
    body.push(trees[signature.body].clone());
    body.extend(path(&["ringloop", "__private", entry.runner()]));
    body.push(group(
        Delimiter::Parenthesis,
        call(&trees[signature.name], output),
    ));

    tokens.push(group(Delimiter::Brace, body));
    tokens.into_iter().collect()
}

/// `name()`, placed at the return type: an output that cannot end a program is reported there.
fn call(name: &TokenTree, output: &[TokenTree]) -> Vec<TokenTree> {
    let place = output.first().unwrap_or(name).span();
    let mut callee = name.clone();
    callee.set_span(name.span().located_at(place));
    let mut parentheses = group(Delimiter::Parenthesis, Vec::new());
    parentheses.set_span(Span::call_site().located_at(place));
    vec![callee, parentheses]
}

/// `::core::compile_error! { "message" }` at `span`; for `main`, with an empty `main` beside it, so
/// that the one error is not followed by another about a missing one.
fn error(entry: Entry, message: &str, span: Span) -> TokenStream {
    let mut text = TokenTree::Literal(Literal::string(message));
    text.set_span(span);
    let mut tokens = path(&["core", "compile_error"]);
    tokens.push(punct('!'));
    tokens.push(group(Delimiter::Brace, vec![text]));
    for token in &mut tokens {
        token.set_span(span);
    }
    if entry == Entry::Main {
        tokens.extend([word("fn"), word("main")]);
        tokens.push(group(Delimiter::Parenthesis, Vec::new()));
        tokens.push(group(Delimiter::Brace, Vec::new()));
    }
    tokens.into_iter().collect()
}

/// `-> output`
fn arrow(output: Vec<TokenTree>) -> impl Iterator<Item = TokenTree> {
    let dash = TokenTree::Punct(Punct::new('-', Spacing::Joint));
    iter::once(dash).chain(iter::once(punct('>'))).chain(output)
}

/// `::a::b::c`
fn path(segments: &[&str]) -> Vec<TokenTree> {
    let colon = TokenTree::Punct(Punct::new(':', Spacing::Joint));
    segments
        .iter()
        .flat_map(|segment| [colon.clone(), punct(':'), word(segment)])
        .collect()
}

fn word(text: &str) -> TokenTree {
    TokenTree::Ident(Ident::new(text, Span::call_site()))
}

fn punct(character: char) -> TokenTree {
    TokenTree::Punct(Punct::new(character, Spacing::Alone))
}

fn group(delimiter: Delimiter, trees: Vec<TokenTree>) -> TokenTree {
    TokenTree::Group(Group::new(delimiter, trees.into_iter().collect()))
}

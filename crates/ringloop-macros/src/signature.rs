//! The signature of a function under one of the attributes.
//!
//! Reads the top level of an item and says where its parts are, or what is in the way. It works on
//! [`Shape`]s and answers with indices, so it knows nothing of `proc_macro`, whose types exist only
//! inside a compiler; that makes it the part with unit tests.
//!
//! ```text
//! #[doc = "…"] #[ignore] pub(crate)  async fn name ( )  -> io::Result<()>  { … }
//! └────────────── head ────────────┘          name         └── output ──┘  body
//! ```

use std::fmt;
use std::ops::Range;

/// What a token tree is, as far as a signature is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    /// An identifier or a keyword.
    Word(String),
    /// One character of punctuation.
    Punct(char),
    /// `[…]`
    Bracketed,
    /// `(…)`
    Parenthesized {
        /// Nothing between the parentheses.
        empty: bool,
    },
    /// `{…}`
    Braced,
    /// A literal.
    Literal,
}

/// Where the parts of an accepted function are, as indices into its token trees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    /// Attributes and visibility.
    pub(crate) head: Range<usize>,
    /// The name.
    pub(crate) name: usize,
    /// The declared return type; empty if there is none.
    pub(crate) output: Range<usize>,
    /// The body, which is the last token tree.
    pub(crate) body: usize,
}

/// Why a function is refused, and the index of the token tree to point at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// May be one past the end: the item stops too early.
    pub(crate) at: usize,
    pub(crate) reason: Reason,
}

/// What is wrong with a refused function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The item is something else than a function, or one that is `unsafe`, `const`, `extern`.
    NotPlainFunction,
    /// `fn` without `async`.
    NotAsync,
    /// Type, lifetime or constant parameters, or a `where` clause.
    Generic,
    /// The parameter list is not empty.
    Parameters,
    /// A declaration that ends with `;`.
    NoBody,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotPlainFunction => "goes on a plain `async fn`: on no other item, and without `unsafe`, `const` or `extern`",
            Self::NotAsync => "goes on an `async fn`: put `async` before this `fn`",
            Self::Generic => "goes on a function that is not generic: nobody chooses its types",
            Self::Parameters => "goes on a function without parameters: nobody passes any",
            Self::NoBody => "goes on a function with a body",
        })
    }
}

/// Finds the parts of the function that `shapes` describes.
pub(crate) fn parse(shapes: &[Shape]) -> Result<Signature, Complaint> {
    let mut cursor = Cursor { shapes, at: 0 };
    cursor.skip_attributes();
    cursor.skip_visibility();
    let head = 0..cursor.at;
    let is_async = cursor.eat_word("async");
    if !cursor.eat_word("fn") {
        return Err(cursor.complain(Reason::NotPlainFunction));
    }
    if !is_async {
        return Err(Complaint {
            at: cursor.at - 1,
            reason: Reason::NotAsync,
        });
    }
    let name = cursor.at;
    cursor.at += 1;
    if cursor.is_punct('<') {
        return Err(cursor.complain(Reason::Generic));
    }
    if cursor.peek() != Some(&Shape::Parenthesized { empty: true }) {
        return Err(cursor.complain(Reason::Parameters));
    }
    cursor.at += 1;
    let output = cursor.output()?;
    let body = cursor.at;
    if cursor.peek() != Some(&Shape::Braced) {
        return Err(cursor.complain(Reason::NoBody));
    }
    Ok(Signature {
        head,
        name,
        output,
        body,
    })
}

/// A place in the item.
#[derive(Debug)]
struct Cursor<'a> {
    shapes: &'a [Shape],
    at: usize,
}

impl Cursor<'_> {
    fn skip_attributes(&mut self) {
        while self.is_punct('#') && self.shapes.get(self.at + 1) == Some(&Shape::Bracketed) {
            self.at += 2;
        }
    }

    fn skip_visibility(&mut self) {
        if self.eat_word("pub") && matches!(self.peek(), Some(Shape::Parenthesized { .. })) {
            self.at += 1;
        }
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    /// Steps over `-> Type`, up to the body: the last token tree, since a type may hold braces.
    fn output(&mut self) -> Result<Range<usize>, Complaint> {
        let end = self.shapes.len() - 1;
        let arrow = self.is_punct('-');
        self.at += if arrow { 2 } else { 0 };
        let start = self.at;
        while self.at < end {
            if self.is_word("where") {
                return Err(self.complain(Reason::Generic));
            }
            self.at += 1;
        }
        Ok(start..self.at)
    }

    fn peek(&self) -> Option<&Shape> {
        self.shapes.get(self.at)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Shape::Word(found)) if found == word)
    }

    fn is_punct(&self, punct: char) -> bool {
        self.peek() == Some(&Shape::Punct(punct))
    }

    fn complain(&self, reason: Reason) -> Complaint {
        Complaint {
            at: self.at,
            reason,
        }
    }
}

#[cfg(test)]
mod tests;
